// The API sentences that SteerDNS sends to a router, encoded except for their tag.
//
// Each sentence requests as little as possible: `.proplist` on every print, ids in comma lists, and
// lists joined by `?#|`, so that one table scan serves them all.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "routeros/address.h"
#include "routeros/command_forms.h"
#include "routeros/row_types.h"

namespace steer::routeros {

using RowId = std::uint64_t;  // `*1D` is 0x1d

// Whether `set` of this form resets the argument by a leading '!'.
bool is_matcher(const CommandForm& form, std::string_view argument);

std::string row_id_text(RowId id);
// Returns 0 if it is not `*` and hexadecimal digits; no row has id 0.
RowId parse_row_id(std::string_view text);

// A sentence under construction; the session adds the tag and the end.
class Command {
  public:
    // `menu` chooses the family if the form has both.
    explicit Command(const CommandForm& form, Menu menu = Menu::ip);
    // Requests only the form's properties.
    Command& proplist();
    // `name`: one of the form's arguments.
    Command& attribute(std::string_view name, std::string_view value);  // =name=value
    Command& query(std::string_view name, std::string_view value);      // ?name=value
    Command& query_lacks(std::string_view name);                        // ?-name
    Command& query_ops(std::string_view ops);                           // ?#ops
    [[nodiscard]] const std::string& words() const { return words_; }

  private:
    std::string_view arguments_, properties_;  // of the form
    std::string words_;
};

// The values of a row in addition to its place and comment.
struct RowValues {
    std::uint32_t timeout_s = 0;                // 0: none
    std::span<const std::string> properties{};  // of the type, in its order (row_types.h)
};
// An argument of the command that adds a row. `is_text`: a script must quote it.
struct RowArgument {
    std::string_view name;
    std::string value;
    bool is_text = false;
};
// `group`: the list, or the routing table.
std::vector<RowArgument> row_arguments(Table table, std::string_view group, const Address& address,
                                       std::string_view comment, const RowValues& values);

// All rows of these lists or routing tables.
Command print_groups(Table table, std::span<const std::string_view> groups);
// The rows of one of them at these addresses. The router scans the whole table.
Command print_addresses(Table table, std::string_view group, std::span<const Address> addresses);
Command add_row(Table table, std::string_view group, const Address& address,
                std::string_view comment, const RowValues& values);
// The timeout of a type that has one, else its properties.
Command set_values(Table table, std::span<const RowId> ids, const RowValues& values);
Command enable_rows(Table table, std::span<const RowId> ids);
Command set_comment(Table table, std::span<const RowId> ids, std::string_view comment);
Command remove_rows(Table table, std::span<const RowId> ids);
// Reports every change of the menu, until cancelled. Not limited to our rows, because a query would
// hide `.dead` rows.
Command listen(Table table);
// Connections, or only those without a mark, in all forms that routers print. The router scans the
// whole connection tracking table. With addresses: only connections to them, if ports are separate
// properties.
Command print_connections(Menu menu, std::span<const Address> addresses = {},
                          bool only_unmarked = true);
Command remove_connections(Menu menu, std::span<const RowId> ids);
// A print without conditions, of the form's properties only: a new sentence of this kind is a form and its caller.
Command print(const CommandForm& form, Menu menu = Menu::ip);

}  // namespace steer::routeros
