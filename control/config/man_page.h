// The reference of the configuration as a manual page, steerdns.yaml(5): what write_reference() writes, as roff.
// `steerdnsd --config-reference man` prints it, `meson install` keeps it.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

namespace steer::config {

void write_man_page(std::ostream& out);

// Markdown as the reference has it (headings, paragraphs, lists, tables, code, links) as roff for
// man(7). The heading of the first level is left out.
std::string roff_of_markdown(std::string_view markdown);

}  // namespace steer::config
