// The pages of docs/reference that are generated from tables: `steerdnsd --reference PAGE`.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

namespace steer {

// "configuration, exit-codes, metrics, verdicts", for --help and messages.
std::string reference_page_names();

// Writes a page as Markdown. Returns false if there is no such page.
bool write_reference_page(std::string_view page, std::ostream& out);

}  // namespace steer
