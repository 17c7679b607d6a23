// Recorded queries as a file: CSV (RFC 4180) or a list of JSON.

// The same as in tools/steerctl/csv.cpp.
const kColumns = ["time", "client", "client_port", "server", "transport", "name", "type", "class", "decision", "plugin", "list", "line", "list_rule", "rule",
  "end", "path", "rcode", "ede", "upstream", "entry", "answers", "duration_us", "query_size", "response_size", "stands_for"];

// Names come from strangers: what a spreadsheet could take for a formula gets an apostrophe before it, as OWASP recommends.
function cell(value) {
  const text = String(value ?? "");
  const isFormula = typeof value === "string" && /^[=+\-@\t\r]/.test(text);
  return isFormula || /[",\r\n]/.test(text) ? `"${isFormula ? "'" : ""}${text.replaceAll("\"", "\"\"")}"` : text;
}

export const csv = (queries) => [kColumns.join(","), ...queries.map((one) => kColumns.map((column) => cell(one[column])).join(","))].map((line) => `${line}\r\n`).join("");
export const json = (queries) => `[\n${queries.map((one) => JSON.stringify(one)).join(",\n")}\n]\n`;

// Lets the browser save the text.
export function save(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
