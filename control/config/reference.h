// The reference of the configuration, as Markdown, made from the rows that the parser uses:
// docs/reference/configuration.md is exactly this (a test compares them), `steerdnsd --config-reference`
// prints it.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/setting.h"
#include "matchers/result.h"

namespace steer::config {

void write_reference(std::ostream& out);
// One type's part of it. Error: there is no such type, or not yet.
Result<void> explain_plugin(std::string_view type, std::ostream& out);

// For the part of a plugin type (TypeExtras::reference): "Keys of `NAME`:" and its rows; one paragraph, in lines of 100
// columns.
void write_part(std::ostream& out, std::string_view name, const std::vector<RowText>& rows);
void write_paragraph(std::ostream& out, std::string_view text);

// The reference of the configuration as a manual page, steerdns.yaml(5): what write_reference() writes, as roff.
// `steerdnsd --config-reference man` prints it, `meson install` keeps it.
void write_man_page(std::ostream& out);

// Markdown as the reference has it (headings, paragraphs, lists, tables, code, links) as roff for
// man(7). The heading of the first level is left out.
std::string roff_of_markdown(std::string_view markdown);

}  // namespace steer::config
