//! Durations in attributes: `"250ms"`, `"30s"`, `"5min"`, `"1h"`, `"30d"`.

/// The units and what they are in milliseconds.
const UNITS: [(&str, u64); 5] =
    [("ms", 1), ("s", 1000), ("min", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Milliseconds, or why the text is no duration and what to write.
pub(crate) fn parse(text: &str) -> Result<u64, (String, &'static str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let Some((_, factor)) = UNITS.iter().find(|(name, _)| *name == unit).filter(|_| digits > 0) else {
        let help = "write a whole number and a unit, as in \"250ms\", \"30s\", \"5min\", \"1h\" or \"30d\"";
        return Err((format!("`{text}` is not a duration"), help));
    };
    match number.parse::<u64>().ok().and_then(|number| number.checked_mul(*factor)) {
        Some(0) => Err((format!("`{text}` is no time at all"), "the shortest duration is \"1ms\"")),
        Some(millis) => Ok(millis),
        None => Err((
            format!("`{text}` is longer than can be counted in milliseconds"),
            "leave the option out for no limit",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_five_forms_are_durations() {
        let forms = ["250ms", "30s", "5min", "1h", "30d"].map(|text| parse(text).unwrap());
        assert_eq!(forms, [250, 30_000, 300_000, 3_600_000, 2_592_000_000]);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "s",
            "30",
            "30 s",
            "1.5h",
            "-1s",
            "5m",
            "1H",
            "+1s",
            "0s",
            "99999999999999999999d",
            "1w",
            "1s ",
        ] {
            parse(text).unwrap_err();
        }
        assert_eq!(parse("5m").unwrap_err().0, "`5m` is not a duration");
    }
}
