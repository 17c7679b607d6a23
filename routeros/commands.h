// The API sentences that SteerDNS sends to a router, encoded except for their tag.
//
// Each sentence asks for as little as possible: `.proplist` on every print, ids in comma
// lists, lists joined by `?#|` so that one table scan serves them all.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "routeros/address.h"
#include "routeros/command_forms.h"

namespace steer::routeros {

using RowId = std::uint64_t;  // `*1D` is 0x1d

// Whether `set` of this form unsets the argument by a '!' in front.
bool is_matcher(const CommandForm& form, std::string_view argument);

std::string row_id_text(RowId id);
// 0 if it is not `*` and hexadecimal digits; no row has id 0.
RowId parse_row_id(std::string_view text);

// A sentence under construction; the session adds the tag and ends it.
class Command {
  public:
    // `menu` chooses the family where the form has both.
    explicit Command(const CommandForm& form, Menu menu = Menu::ip);
    // Asks for the form's properties only.
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

// All rows of these lists.
Command print_lists(Menu menu, std::span<const std::string_view> lists);
// The rows of one list at these addresses: a scan of the whole table on the router.
Command print_addresses(Menu menu, std::string_view list, std::span<const Address> addresses);
// `timeout_s` 0: a row without timeout.
Command add_row(std::string_view list, const Address& address, std::string_view comment,
                std::uint32_t timeout_s);
Command set_timeout(Menu menu, std::span<const RowId> ids, std::uint32_t timeout_s);
Command set_comment(Menu menu, std::span<const RowId> ids, std::string_view comment);
Command remove_rows(Menu menu, std::span<const RowId> ids);
// Every change of the menu, until cancelled. Not limited to our lists: a query would hide `.dead`
// rows.
Command listen(Menu menu);
// Connections without a mark, in all forms that routers print: a scan of all of connection
// tracking. With addresses only connections to them, if ports are separate properties.
Command print_connections(Menu menu, std::span<const Address> addresses = {});
Command remove_connections(Menu menu, std::span<const RowId> ids);
// The router's own addresses.
Command print_own_addresses(Menu menu);
// Uptime, version, board, load, sectors of flash written.
Command print_resource();

}  // namespace steer::routeros
