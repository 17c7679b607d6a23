// The reference of the configuration, as Markdown, generated from the rows that the parser uses.
// docs/reference/configuration.md is exactly this (a test compares them). `steerdnsd
// --config-reference` prints it.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/setting.h"
#include "matchers/result.h"

namespace steer::config {

void write_reference(std::ostream& out);
// The part of one type. Error: there is no such type, or it is not supported yet.
Result<void> explain_plugin(std::string_view type, std::ostream& out);

// For the part of a plugin type (TypeExtras::reference): "Keys of `NAME`:" and its rows; one paragraph, in lines of 100
// columns.
void write_part(std::ostream& out, std::string_view name, const std::vector<RowText>& rows);
void write_paragraph(std::ostream& out, std::string_view text);

// The reference of the configuration as a manual page, steerdns.yaml(5): what write_reference() writes, as roff.
// `steerdnsd --config-reference man` prints it, `meson install` keeps it.
void write_man_page(std::ostream& out);

// Converts the reference's Markdown (headings, paragraphs, lists, tables, code, links) to roff for
// man(7). Leaves out the heading of the first level.
std::string roff_of_markdown(std::string_view markdown);

}  // namespace steer::config
