// A router's data about itself: the rows of the menus that the doctor reads.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/prefix/ip_address.h"
#include "routeros/features.h"
#include "routeros/session.h"

namespace steer::doctor {

// Properties by name, as the API prints them; an unset one is absent.
class Row {
  public:
    Row() = default;
    explicit Row(routeros::Properties values) : values_(std::move(values)) {}

    // Empty: absent or empty.
    [[nodiscard]] std::string_view get(std::string_view name) const;
    [[nodiscard]] const routeros::Properties& values() const { return values_; }
    [[nodiscard]] bool has(std::string_view name) const { return !get(name).empty(); }
    // Whether it is `true` or `yes`.
    [[nodiscard]] bool is(std::string_view name) const;
    [[nodiscard]] bool is_enabled() const { return !is("disabled") && !is("invalid"); }
    // For a route: whether its gateway does not answer, or has no interface. Versions print one of
    // the two properties.
    [[nodiscard]] bool is_down() const {
        return is("inactive") || (has("active") && !is("active"));
    }
    [[nodiscard]] std::string_view id() const { return get(".id"); }
    // Whether the property's items, separated by commas, contain this one.
    [[nodiscard]] bool lists(std::string_view name, std::string_view item) const;

  private:
    routeros::Properties values_;
};

// The items of a list with commas.
std::vector<std::string_view> items_of(std::string_view list);
// "192.0.2.1" for "192.0.2.1/24".
std::string_view host_of(std::string_view prefix);
// Whether the prefix, with or without host bits, contains the address. A single address is a
// prefix, too.
bool contains(std::string_view prefix, const IpAddress& address);
// Whether a list of ports, "53,800-900", contains this one.
bool has_port(std::string_view ports, unsigned port);

// One menu. `error`: why it cannot be read. It then has no rows, and no check draws conclusions
// from that.
struct Table {
    std::vector<Row> rows;
    std::string error;
    std::string_view feature;  // of its command (routeros/features.h)

    // Whether the router reports that it has no such menu.
    [[nodiscard]] bool is_absent() const { return error.starts_with("no such command"); }
    [[nodiscard]] const Row* find(std::string_view name, std::string_view value) const;
};

struct RouterFacts {
    std::string name;                                  // its name in the configuration
    std::string version;                               // "7.16.2"; empty: unknown
    std::map<std::string, Table, std::less<>> tables;  // by menu: "/ip/route"

    // The version in the text; no value: the text does not identify it.
    [[nodiscard]] std::optional<routeros::Version> parsed_version() const {
        return routeros::Version::parse(version);
    }
    // For a menu that was not read: a table with `error`.
    [[nodiscard]] const Table& table(std::string_view menu) const;
    [[nodiscard]] const Table& table(routeros::Menu family, std::string_view below) const;
    [[nodiscard]] bool can_read(std::string_view menu) const { return table(menu).error.empty(); }
};

// "/ip" or "/ipv6", and the part below: "/firewall/mangle".
std::string menu_of(routeros::Menu family, std::string_view below);

}  // namespace steer::doctor
