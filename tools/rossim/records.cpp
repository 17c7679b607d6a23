#include "tools/rossim/records.h"

#include <algorithm>

#include "tools/rossim/address.h"
#include "tools/rossim/device.h"
#include "tools/rossim/value_text.h"

namespace rossim {
namespace {

// What schema.json does not say of an argument.
struct Trait {
    std::string_view menu, argument;
    std::string_view initial = {};     // what a new row has if `add` does not name it
    std::string_view must_be_in = {};  // the menu whose row it must name
    std::size_t max_bytes = kMaxPropertyBytes;
};

constexpr Trait kTraits[] = {
    {"/ip/firewall/mangle", "action", "accept"},
    {"/ip/firewall/mangle", "passthrough", "true"},
    {"/ip/firewall/mangle", "new-routing-mark", {}, "/routing/table"},
    {"/ipv6/firewall/mangle", "action", "accept"},
    {"/ipv6/firewall/mangle", "passthrough", "true"},
    {"/ipv6/firewall/mangle", "new-routing-mark", {}, "/routing/table"},
    {"/ip/firewall/filter", "action", "accept"},
    {"/ipv6/firewall/filter", "action", "accept"},
    {"/interface/bridge/port", "hw", "true"},
    {"/routing/rule", "action", "lookup"},
    {"/routing/rule", "table", "main", "/routing/table"},
    {"/ip/firewall/nat", "action", "accept"},
    {"/ipv6/firewall/nat", "action", "accept"},
    {"/ip/route", "routing-table", "main", "/routing/table"},
    {"/ip/route", "distance", "1"},
    {"/ip/route", "scope", "30"},
    {"/ip/route", "target-scope", "10"},
    {"/ipv6/route", "routing-table", "main", "/routing/table"},
    {"/ipv6/route", "distance", "1"},
    {"/ipv6/route", "scope", "30"},
    {"/ipv6/route", "target-scope", "10"},
    {"/ipv6/nd", "interface", "all"},
    {"/ipv6/nd", "ra-interval", "3m20s-10m"},
    {"/ipv6/nd", "ra-delay", "3s"},
    {"/ipv6/nd", "ra-lifetime", "30m"},
    {"/ipv6/nd", "ra-preference", "medium"},
    {"/ipv6/nd", "advertise-mac-address", "true"},
    {"/ipv6/dhcp-server/binding", "life-time", "3d"},
    {"/ip/dns/adlist", "ssl-verify", "true"},
    {"/ip/dns/forwarders", "verify-doh-cert", "true"},
    {"/system/script", "source", {}, {}, kMaxScriptBytes},
    {"/file", "contents", {}, {}, kMaxFileBytes},
};

constexpr Trait kPlain{};

const Trait& trait_of(std::string_view menu, std::string_view argument) {
    const auto* const it = std::find_if(
        std::begin(kTraits), std::end(kTraits),
        [&](const Trait& trait) { return trait.menu == menu && trait.argument == argument; });
    return it != std::end(kTraits) ? *it : kPlain;
}

// These commands ask for one of the arguments that schema.json names together; the others ask for each.
constexpr std::string_view kOneOfRequired[] = {"/ip/dns/static", "/ip/dhcp-server/lease"};

// `add` and `set` have it, and nothing reads it back.
bool is_secret(std::string_view argument) {
    return argument == "password";
}

// Words of commands that stand for rows or for a place among them.
bool is_place(std::string_view argument) {
    return argument == ".id" || argument == "numbers" || argument == "number" ||
           argument == "place-before" || argument == "copy-from" || argument == "destination" ||
           argument == "value-name";
}

std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts)
        text += (text.empty() ? "" : ",") + part;
    return text;
}

}  // namespace

std::optional<std::string_view> Record::property(std::string_view name,
                                                 std::string& scratch) const {
    if (name == ".id" && id != 0) return scratch = id_text(id);
    for (const auto& [key, value] : values) {
        if (key == name) return value;
    }
    return std::nullopt;
}

void Record::set(std::string_view name, std::string_view value) {
    const auto it = std::find_if(values.begin(), values.end(),
                                 [&](const auto& entry) { return entry.first == name; });
    if (it == values.end()) {
        if (!value.empty()) values.emplace_back(name, value);
    } else if (value.empty()) {
        values.erase(it);
    } else {
        it->second = value;
    }
}

// 7.24 calls it so; what is written under the old name is read under the new one.
std::string_view read_as(std::string_view menu, std::string_view name, Version version) {
    const bool renamed = menu == "/ip/service" && name == "address" && version >= Version{7, 24};
    return renamed ? "available-from" : name;
}

// Whether one of the prefixes, with commas between them, has bits behind its length.
bool cuts_host_bits(std::string_view prefixes) {
    while (!prefixes.empty()) {
        const std::size_t comma = std::min(prefixes.find(','), prefixes.size());
        const std::string item(prefixes.substr(0, comma));
        prefixes.remove_prefix(std::min(comma + 1, prefixes.size()));
        const bool is_v6 = item.find(':') != item.npos;
        const std::size_t slash = item.find('/');
        const auto kept = normalise_address(is_v6 ? Family::ipv6 : Family::ipv4, item);
        if (slash != item.npos && kept && !kept->is_name &&
            kept->text.substr(0, kept->text.find('/')) != item.substr(0, slash))
            return true;
    }
    return false;
}

bool is_choice(std::string_view name, Version version) {
    return name == "advertise-dns" && version >= Version{7, 21};
}

// A yes or no is printed as true or false.
std::string Records::printed(std::string_view menu, std::string_view name,
                             std::string_view value) const {
    if (is_choice(name, version_)) return std::string(value);
    const SchemaArgument* argument = schema_.argument(menu, "set", name);
    if (argument == nullptr) argument = schema_.argument(menu, "add", name);
    const bool is_flag = (argument != nullptr && argument->is_flag()) || name == "fib" ||
                         name == "advertise-dns";  // (its values are those of 7.21)
    const auto truth = parse_bool(value);
    if (name == "fib" && value.empty()) return "true";
    return std::string(is_flag && truth ? bool_text(*truth) : value);
}

Records::Records(const Options& options, Observer observer)
    : options_(options),
      version_(options.version),
      schema_(options.version, options.has_switch_chip),
      routes_(options),
      observer_(std::move(observer)) {
    for (const auto& [path, menu] : Schema::menus()) {
        if (schema_.menu(path) != nullptr) menus_.emplace(path, Menu{path, {}});
    }
    fill(options);
}

void Records::fill(const Options& options) {
    append("/system/identity", {{"name", options.name}});
    find("/system/identity")->rows[0].id = 0;
    const std::string most = std::to_string(options.max_sessions);
    for (const auto& [name, port] : {std::pair{"api", "8728"}, std::pair{"api-ssl", "8729"}}) {
        append("/ip/service", {{"name", name},
                               {"port", port},
                               {std::string(read_as("/ip/service", "address", version_)),
                                joined(options.available_from)},
                               {"disabled", "false"},
                               {"invalid", "false"}});
        if (schema_.argument("/ip/service", "set", "max-sessions") != nullptr)
            find("/ip/service")->rows.back().values.emplace_back("max-sessions", most);
    }
    for (const User& user : options.users) {
        append("/user/group", {{"name", user.name}, {"policy", joined(user.policies)}});
        append("/user", {{"name", user.name}, {"group", user.name}, {"disabled", "false"}});
        find("/user")->rows.back().secrets = {{"password", user.password}};
    }
    if (options.has_switch_chip) {
        append("/interface/ethernet/switch", {{"name", "switch1"}, {"l3-hw-offloading", "false"}});
        for (const char* const port : {"ether1", "ether2", "ether3"})
            append("/interface/ethernet/switch/port",
                   {{"name", port}, {"switch", "switch1"}, {"l3-hw-offloading", "false"}});
    }
    append("/routing/table", {{"name", "main"}, {"fib", "true"}, {"disabled", "false"}});
    append("/ip/dns", {{"dynamic-servers", ""}, {"allow-remote-requests", "false"}});
    find("/ip/dns")->rows[0].id = 0;
    const bool is_flag = !is_choice("advertise-dns", version_);
    append(
        "/ipv6/nd",
        {{"interface", "all"}, {"advertise-dns", is_flag ? "true" : "yes"}, {"disabled", "false"}});
}

const Records::Menu* Records::find(std::string_view path) const {
    const auto it = menus_.find(path);
    return it != menus_.end() ? &it->second : nullptr;
}

Records::Menu* Records::find(std::string_view path) {
    return const_cast<Menu*>(std::as_const(*this).find(path));
}

void Records::append(std::string_view path, Attributes values) {
    Menu& menu = *find(path);
    Record row;
    row.id = ++menu.last_id;
    row.values = std::move(values);
    menu.rows.push_back(std::move(row));
}

bool Records::carries_out(std::string_view verb) {
    constexpr std::string_view kVerbs[] = {"print",  "getall",  "listen",  "add",   "set", "remove",
                                           "enable", "disable", "comment", "unset", "move"};
    return std::find(std::begin(kVerbs), std::end(kVerbs), verb) != std::end(kVerbs);
}

std::optional<User> Records::user(std::string_view name) const {
    std::string scratch;
    const Record* const row = find_named("/user", name);
    if (row == nullptr || row->property("disabled", scratch) == "true") return std::nullopt;
    User user{std::string(name), {}, {}};
    for (const auto& [key, value] : row->secrets) {
        if (key == "password") user.password = value;
    }
    const Record* const group =
        find_named("/user/group", row->property("group", scratch).value_or(""));
    if (group == nullptr) return user;
    const std::string policies(group->property("policy", scratch).value_or(""));
    for (std::size_t at = 0; at < policies.size();) {
        const std::size_t comma = std::min(policies.find(',', at), policies.size());
        if (policies[at] != '!') user.policies.push_back(policies.substr(at, comma - at));
        at = comma + 1;
    }
    return user;
}

const Record* Records::find_named(std::string_view path, std::string_view number) const {
    const auto id = parse_id(number);
    for (const Record& row : rows(path)) {
        std::string scratch;
        if (id ? row.id == *id : row.property("name", scratch) == number) return &row;
    }
    return nullptr;
}

const std::vector<Record>& Records::rows(std::string_view path) const {
    return find(path)->rows;
}

void Records::check(const Menu& menu, const Sentence& sentence) const {
    for (const auto& [name, value] : sentence.attributes) {
        if (is_place(name)) continue;
        const Trait& trait = trait_of(menu.path, name);
        if (value.size() > trait.max_bytes) throw value_too_long(name);
        const SchemaArgument* const argument = schema_.argument(menu.path, sentence.verb, name);
        // (The values of advertise-dns are those of 7.21.)
        const bool is_flag =
            argument != nullptr && (argument->is_flag() || name == "advertise-dns");
        const bool is_too_new = name == "action" && value == "fasttrack-connection" &&
                                menu.path == "/ipv6/firewall/filter" && version_ < Version{7, 18};
        const bool has_host_bits = menu.path == "/ip/service" && version_ >= Version{7, 24} &&
                                   read_as(menu.path, name, version_) == "available-from" &&
                                   cuts_host_bits(value);
        const bool is_word = value == "no" || value == "self" || value == "yes";
        if (is_too_new || has_host_bits ||
            (is_choice(name, version_) ? !is_word : is_flag && !parse_bool(value)))
            throw Trap{"input does not match any value of " + name, kBadValue};
        if (trait.must_be_in.empty() || value.empty()) continue;
        if (find_named(trait.must_be_in, value) == nullptr)
            throw Trap{"input does not match any value of " + name, kBadValue};
    }
}

// One row of /ipv6/nd for each interface.
void Records::check_unique(const Menu& menu, std::string_view interface, const Record* self) const {
    if (menu.path != "/ipv6/nd") return;
    const bool known = std::any_of(menu.rows.begin(), menu.rows.end(), [&](const Record& row) {
        std::string scratch;
        return (self == nullptr || row.id != self->id) &&
               row.property("interface", scratch) == interface;
    });
    if (known) throw Trap{"failure: configuration for this interface already exists", std::nullopt};
}

void Records::check_required(const Menu& menu, const Sentence& sentence) const {
    std::string missing;
    bool is_one_there = false;
    for (const std::string& name : schema_.menu(menu.path)->required) {
        if (schema_.argument(menu.path, "add", name) == nullptr) continue;
        if (sentence.find(name) != nullptr) {
            is_one_there = true;
        } else {
            missing += (missing.empty() ? "" : " ") + name;
        }
    }
    const bool one_will_do = std::find(std::begin(kOneOfRequired), std::end(kOneOfRequired),
                                       menu.path) != std::end(kOneOfRequired);
    if (missing.empty() || (one_will_do && is_one_there)) return;
    throw Trap{"missing value(s) of argument(s) " + missing, kMissingItem};
}

// Before the row that `place-before` names, or at the end.
std::vector<Record>::iterator Records::place_of(Menu& menu, const std::string* before) {
    if (before == nullptr) return menu.rows.end();
    const auto id = parse_id(*before);
    const auto it = std::find_if(menu.rows.begin(), menu.rows.end(),
                                 [id](const Record& row) { return id && row.id == *id; });
    if (it == menu.rows.end()) throw no_such_item();
    return it;
}

std::string Records::add(Menu& menu, const Sentence& sentence) {
    check_required(menu, sentence);
    Record row;
    row.id = menu.last_id + 1;
    for (const auto& [name, argument] : schema_.command(menu.path, "add")->arguments) {
        if (is_place(name) || schema_.argument(menu.path, "add", name) == nullptr) continue;
        const std::string* const given = sentence.find(name);
        if (given != nullptr && is_secret(name)) {
            row.secrets.emplace_back(name, *given);
            continue;
        }
        const std::string_view initial = trait_of(menu.path, name).initial;
        const bool is_flag = argument.is_flag() && initial.empty();
        const std::string value = given != nullptr            ? printed(menu.path, name, *given)
                                  : is_choice(name, version_) ? "no"
                                  : name == "fib"             ? ""
                                  : is_flag                   ? "false"
                                                              : std::string(initial);
        if (!value.empty()) row.values.emplace_back(name, value);
    }
    std::string scratch;
    check_unique(menu, row.property("interface", scratch).value_or(""), nullptr);
    row.id = 0;
    finish_route(menu, row);
    row.id = menu.last_id + 1;
    const auto at = menu.rows.insert(place_of(menu, sentence.find("place-before")), std::move(row));
    ++menu.last_id;
    observer_(menu.path, Change::add, *at);
    return id_text(menu.last_id);
}

void Records::set(const Menu& menu, Record& row, const Sentence& sentence) const {
    for (const auto& [name, value] : sentence.attributes) {
        if (is_place(name)) continue;
        if (name == "interface") check_unique(menu, value, &row);
        if (is_secret(name)) {
            row.secrets = {{name, value}};
        } else {
            row.set(read_as(menu.path, name, version_), printed(menu.path, name, value));
        }
    }
}

// The rows in this order before `destination`, or at the end.
void Records::move(Menu& menu, const Sentence& sentence) {
    const std::string* const destination = sentence.find("destination");
    for (const std::uint64_t id : ids_of(sentence)) {
        const std::string text = id_text(id);
        const auto it = place_of(menu, &text);
        if (destination != nullptr && *destination == text) continue;
        Record row = std::move(*it);
        menu.rows.erase(it);
        menu.rows.insert(place_of(menu, destination), std::move(row));
    }
}

std::optional<std::string> Records::change(const Sentence& sentence) {
    Menu& menu = *find(sentence.menu);
    check(menu, sentence);
    if (sentence.verb == "add") return add(menu, sentence);
    if (sentence.verb == "move") {
        move(menu, sentence);
        return std::nullopt;
    }
    if (sentence.verb == "set" &&
        schema_.argument(sentence.menu, "set", "numbers") == nullptr) {  // one unnumbered row
        if (menu.rows.empty()) menu.rows.emplace_back();
        set(menu, menu.rows[0], sentence);
        return std::nullopt;
    }
    const auto has = [&menu](std::uint64_t id) {
        return std::ranges::find(menu.rows, id, &Record::id) != menu.rows.end();
    };
    if (options_.multi_id_atomic && !std::ranges::all_of(ids_of(sentence), has))
        throw no_such_item();
    for (const std::uint64_t id : ids_of(sentence)) {
        const auto it = std::find_if(menu.rows.begin(), menu.rows.end(),
                                     [id](const Record& row) { return row.id == id; });
        if (it == menu.rows.end()) throw no_such_item();
        if (route_family(menu.path))
            Routes::check_own(*it, sentence.verb == "remove" ? "remove" : "change");
        if (sentence.verb == "remove") {
            const Record row = std::move(*it);
            menu.rows.erase(it);
            observer_(menu.path, Change::remove, row);
            continue;
        }
        Record row = *it;
        if (sentence.verb == "enable" || sentence.verb == "disable") {
            row.set("disabled", bool_text(sentence.verb == "disable"));
        } else if (sentence.verb == "unset") {
            const std::string* const name = sentence.find("value-name");
            if (name == nullptr)
                throw Trap{"missing value(s) of argument(s) value-name", kMissingItem};
            row.set(*name, "");
        } else {
            set(menu, row, sentence);
        }
        finish_route(menu, row);
        *it = std::move(row);
        observer_(menu.path, Change::set, *it);
    }
    return std::nullopt;
}

std::uint64_t Records::put(std::string_view path, const Attributes& attributes) {
    Menu* const menu = find(path);
    // One row without an id, as of /ip/dns. No command adds interfaces and services: they are the router's own.
    const bool is_settings = menu != nullptr && menu->rows.size() == 1 && menu->rows[0].id == 0;
    const bool has_rows =
        schema_.command(path, "add") != nullptr || schema_.command(path, "set") != nullptr;
    if (menu == nullptr || (!is_settings && !has_rows))
        throw Trap{"no such command prefix", kMissingItem};
    std::optional<std::uint64_t> id;
    Change change = Change::set;
    if (is_settings) id = 0;
    bool is_dead = false;
    for (const auto& [name, value] : attributes) {
        if (name == ".id") id = parse_id(value);
        if (name == ".dead") is_dead = true;
    }
    if (!id) {
        menu->rows.emplace_back().id = ++menu->last_id;
        id = menu->last_id;
        change = Change::add;
    }
    const auto it = std::find_if(menu->rows.begin(), menu->rows.end(),
                                 [id](const Record& row) { return row.id == *id; });
    if (it == menu->rows.end()) throw no_such_item();
    if (is_dead) {
        const Record row = std::move(*it);
        menu->rows.erase(it);
        observer_(path, Change::remove, row);
        return *id;
    }
    for (const auto& [name, value] : attributes) {
        if (name != ".id") it->set(name, value);
    }
    if (route_family(path)) routes_.set_flags(*it);
    if (!is_settings) observer_(path, change, *it);  // such menus have no listen
    return *id;
}

void Records::finish_route(const Menu& menu, Record& row) const {
    if (!route_family(menu.path)) return;
    routes_.finish(menu.path, row, menu.rows,
                   rows("/ip/route").size() + rows("/ipv6/route").size());
}

void Records::set_gateway(const std::string& gateway, bool is_reachable) {
    routes_.set_gateway(gateway, is_reachable);
    for (auto& [path, menu] : menus_) {
        if (!route_family(path)) continue;
        for (Record& row : menu.rows) {
            std::string scratch;
            if (row.property("gateway", scratch) != gateway) continue;
            routes_.set_flags(row);
            observer_(path, Change::set, row);
        }
    }
}

void Records::reboot() {
    for (auto& [path, menu] : menus_) {
        if (!route_family(path)) continue;
        std::erase_if(menu.rows, [](const Record& row) {
            std::string scratch;
            return row.property("dynamic", scratch) == "true";
        });
        if (!options_.renumber_ids_on_reboot) continue;
        menu.last_id = 0;
        for (Record& row : menu.rows)
            row.id = ++menu.last_id;
    }
}

}  // namespace rossim
