use std::fmt::Write;

use super::operations::OPERATIONS;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}\
h1 small{font-weight:normal;color:#777}table{border-collapse:collapse;width:100%}td{padding:.3rem .6rem;border-top:1px solid #ddd;\
vertical-align:top}td:first-child{width:4rem;font-weight:bold;text-transform:uppercase;color:#06c}code{font-size:.95em}\
@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}td{border-color:#444}td:first-child{color:#6af}}";

/// A page of all operations that needs nothing from elsewhere.
pub fn html() -> String {
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Henge: HTTP interface</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head><body>\n\
         <h1>Henge <small>{}</small></h1>\n<p>The same for machines: <a href=\"/openapi.json\">/openapi.json</a>.</p>\n",
        env!("CARGO_PKG_VERSION")
    );
    let mut tag = "";
    for operation in OPERATIONS {
        if operation.tag != tag {
            page.push_str(if tag.is_empty() { "" } else { "</table>\n" });
            tag = operation.tag;
            write!(page, "<h2>{tag}</h2>\n<table>\n").expect("a string takes all text");
        }
        let (method, path, summary) = (operation.method, operation.path, operation.summary);
        let row = format!("<tr><td>{method}</td><td><code>{path}</code></td><td>{summary}</td></tr>\n");
        page.push_str(&row);
    }
    page.push_str("</table>\n</body></html>\n");
    page
}
