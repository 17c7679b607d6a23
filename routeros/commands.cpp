#include "routeros/commands.h"

#include <algorithm>
#include <cassert>
#include <charconv>

#include "routeros/time_text.h"
#include "routeros/wire.h"

namespace steer::routeros {

namespace {

constexpr std::string_view kMatcher = "!";

// "/ip/address/print"
std::string path_of(const CommandForm& form, Menu menu) {
    constexpr std::string_view kBoth = "/ip*";
    std::string path(form.menu == "/" ? "" : form.menu);
    if (path.starts_with(kBoth)) path.replace(0, kBoth.size(), menu == Menu::ip ? "/ip" : "/ipv6");
    return path.append("/").append(form.command);
}

// Whether the list with commas has the item, with `mark` in front.
bool has_item(std::string_view list, std::string_view item, std::string_view mark = {}) {
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        const std::string_view one = list.substr(0, comma);
        if (one.starts_with(mark) && one.substr(mark.size()) == item) return true;
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return false;
}

Command print(Menu menu) {
    return Command{forms::print_rows, menu}.proplist();
}

std::string id_list(std::span<const RowId> ids) {
    std::string out;
    for (const auto id : ids) {
        if (!out.empty()) out += ',';
        out += row_id_text(id);
    }
    return out;
}

}  // namespace

std::string row_id_text(RowId id) {
    char text[20];
    char* const end = std::to_chars(text, text + sizeof text, id, 16).ptr;
    std::string out{"*"};
    for (const char* c = text; c != end; ++c)
        out += *c >= 'a' ? static_cast<char>(*c - 32) : *c;
    return out;
}

RowId parse_row_id(std::string_view text) {
    if (text.size() < 2 || text.front() != '*') return 0;
    RowId id = 0;
    const char* last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data() + 1, last, id, 16);
    return error == std::errc{} && end == last ? id : 0;
}

bool is_matcher(const CommandForm& form, std::string_view argument) {
    return has_item(form.arguments, argument, kMatcher);
}

Command::Command(const CommandForm& form, Menu menu)
    : arguments_(form.arguments), properties_(form.properties) {
    append_word(words_, path_of(form, menu));
}

Command& Command::proplist() {
    return attribute(".proplist", properties_);
}

Command& Command::attribute(std::string_view name, std::string_view value) {
    assert(has_item(arguments_, name) || has_item(arguments_, name, kMatcher));
    std::string word{"="};
    append_word(words_, word.append(name).append("=").append(value));
    return *this;
}

Command& Command::query(std::string_view name, std::string_view value) {
    std::string word{"?"};
    append_word(words_, word.append(name).append("=").append(value));
    return *this;
}

Command& Command::query_lacks(std::string_view name) {
    append_word(words_, std::string{"?-"}.append(name));
    return *this;
}

Command& Command::query_ops(std::string_view ops) {
    std::string word{"?#"};
    append_word(words_, word.append(ops));
    return *this;
}

Command print_lists(Menu menu, std::span<const std::string_view> lists) {
    auto command = print(menu);
    bool first = true;
    for (const auto list : lists) {
        command.query("list", list);
        if (!first) command.query_ops("|");
        first = false;
    }
    return command;
}

Command print_addresses(Menu menu, std::string_view list, std::span<const Address> addresses) {
    auto command = print(menu);
    bool first = true;
    for (const auto& address : addresses) {
        command.query("address", address.to_string());
        if (!first) command.query_ops("|");
        first = false;
    }
    command.query("list", list);
    command.query_ops("&");
    return command;
}

Command add_row(std::string_view list, const Address& address, std::string_view comment,
                std::uint32_t timeout_s) {
    Command command{forms::add_row, address.menu()};
    command.attribute("list", list);
    command.attribute("address", address.to_string());
    if (timeout_s > 0) command.attribute("timeout", time_text(timeout_s));
    command.attribute("comment", comment);
    return command;
}

Command set_timeout(Menu menu, std::span<const RowId> ids, std::uint32_t timeout_s) {
    Command command{forms::set_row, menu};
    command.attribute(".id", id_list(ids));
    command.attribute("timeout", time_text(timeout_s));
    return command;
}

Command set_comment(Menu menu, std::span<const RowId> ids, std::string_view comment) {
    Command command{forms::set_row, menu};
    command.attribute(".id", id_list(ids));
    command.attribute("comment", comment);
    return command;
}

Command remove_rows(Menu menu, std::span<const RowId> ids) {
    Command command{forms::remove_rows, menu};
    command.attribute(".id", id_list(ids));
    return command;
}

Command listen(Menu menu) {
    return Command{forms::listen_rows, menu};
}

Command print_connections(Menu menu, std::span<const Address> addresses) {
    Command command{forms::print_connections, menu};
    command.proplist();
    bool first = true;
    for (const auto& address : addresses) {
        const std::string text = address.to_string();
        command.query("dst-address", text.substr(0, text.find('/')));
        if (!first) command.query_ops("|");
        first = false;
    }
    command.query_lacks("connection-mark");
    command.query("connection-mark", "").query_ops("|");
    command.query("connection-mark", "no-mark").query_ops("|");
    if (!addresses.empty()) command.query_ops("&");
    return command;
}

Command remove_connections(Menu menu, std::span<const RowId> ids) {
    Command command{forms::remove_connections, menu};
    command.attribute(".id", id_list(ids));
    return command;
}

Command print_own_addresses(Menu menu) {
    return Command{forms::print_own_addresses, menu}.proplist();
}

Command print_resource() {
    return Command{forms::print_resource}.proplist();
}

}  // namespace steer::routeros
