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

std::string address_text(const RowTypeFacts& facts, const Address& address) {
    std::string text = address.to_string();
    if (facts.has_length && text.find('/') == text.npos) text += "/32";
    return text;
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

std::vector<RowArgument> row_arguments(Table table, std::string_view group, const Address& address,
                                       std::string_view comment, const RowValues& values) {
    const RowTypeFacts& facts = table.facts();
    std::vector<RowArgument> out{{facts.group_property, std::string(group), true},
                                 {facts.address_property, address_text(facts, address), false}};
    if (values.timeout_s > 0) out.push_back({"timeout", time_text(values.timeout_s)});
    for (std::size_t i = 0; i < values.properties.size(); ++i)
        out.push_back(
            {facts.properties[i].name, values.properties[i], facts.properties[i].is_text});
    out.push_back({"comment", std::string(comment), true});
    return out;
}

Command print_groups(Table table, std::span<const std::string_view> groups) {
    auto command = Command{*table.facts().print, table.menu}.proplist();
    bool first = true;
    for (const auto group : groups) {
        command.query(table.facts().group_property, group);
        if (!first) command.query_ops("|");
        first = false;
    }
    return command;
}

Command print_addresses(Table table, std::string_view group, std::span<const Address> addresses) {
    auto command = Command{*table.facts().print, table.menu}.proplist();
    bool first = true;
    for (const auto& address : addresses) {
        command.query(table.facts().address_property, address_text(table.facts(), address));
        if (!first) command.query_ops("|");
        first = false;
    }
    command.query(table.facts().group_property, group);
    command.query_ops("&");
    return command;
}

Command add_row(Table table, std::string_view group, const Address& address,
                std::string_view comment, const RowValues& values) {
    Command command{*table.facts().add, table.menu};
    for (const RowArgument& argument : row_arguments(table, group, address, comment, values))
        command.attribute(argument.name, argument.value);
    return command;
}

Command set_values(Table table, std::span<const RowId> ids, const RowValues& values) {
    Command command{*table.facts().set, table.menu};
    command.attribute(".id", id_list(ids));
    if (table.facts().has_timeout) return command.attribute("timeout", time_text(values.timeout_s));
    for (std::size_t i = 0; i < values.properties.size(); ++i)
        command.attribute(table.facts().properties[i].name, values.properties[i]);
    return command;
}

Command enable_rows(Table table, std::span<const RowId> ids) {
    Command command{*table.facts().set, table.menu};
    command.attribute(".id", id_list(ids));
    return command.attribute("disabled", "no");
}

Command set_comment(Table table, std::span<const RowId> ids, std::string_view comment) {
    Command command{*table.facts().set, table.menu};
    command.attribute(".id", id_list(ids));
    command.attribute("comment", comment);
    return command;
}

Command remove_rows(Table table, std::span<const RowId> ids) {
    Command command{*table.facts().remove, table.menu};
    command.attribute(".id", id_list(ids));
    return command;
}

Command listen(Table table) {
    return Command{*table.facts().listen, table.menu};
}

Command print_connections(Menu menu, std::span<const Address> addresses, bool only_unmarked) {
    Command command{forms::print_connections, menu};
    command.proplist();
    bool first = true;
    for (const auto& address : addresses) {
        const std::string text = address.to_string();
        command.query("dst-address", text.substr(0, text.find('/')));
        if (!first) command.query_ops("|");
        first = false;
    }
    if (!only_unmarked) return command;
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

Command print(const CommandForm& form, Menu menu) {
    Command command{form, menu};
    return has_item(form.arguments, ".proplist") ? command.proplist() : command;
}

}  // namespace steer::routeros
