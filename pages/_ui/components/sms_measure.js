/**
 * Measures a text as an SMS, with the same answers as core/domain/texts/segments.py.
 *
 * A message sent alone holds 160 septets or 70 UTF-16 code units, each segment of a longer one 153 or 67. Neither an
 * escape and its character nor a surrogate pair is ever cut. Source: 3GPP TS 23.038 and 23.040.
 *
 * @param {string} text
 * @returns {{encoding: "gsm7" | "ucs2", characterCount: number, unitCount: number, segmentCount: number}}
 *   characterCount in code points; unitCount in septets or code units.
 */
function measureSms(text) {
  const basic =
    /^[@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&'()*+,\-./0-9:;<=>?¡A-ZÄÖÑÜ§¿a-zäöñüà\f^{}\\[~\]|€]*$/;
  const extended = /[\f^{}\\[~\]|€]/g;
  const encoding = basic.test(text) ? "gsm7" : "ucs2";
  // Half a surrogate pair becomes U+FFFD, as it does on its way to the server. Each extended character gets its
  // escape, so that the length of `units` is the number of units.
  const sent = text.replace(/\p{Surrogate}/gu, "\uFFFD");
  const units = encoding === "gsm7" ? sent.replace(extended, "\x1b$&") : sent;
  const [alone, segments] =
    encoding === "gsm7" ? [160, /[^]{0,152}[^\x1b]/g] : [70, /[^]{0,66}[^\uD800-\uDBFF]/g];
  return {
    encoding,
    characterCount: Array.from(sent).length,
    unitCount: units.length,
    segmentCount: units.length > alone ? units.match(segments).length : Math.min(units.length, 1),
  };
}
