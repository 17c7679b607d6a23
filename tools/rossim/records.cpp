#include "tools/rossim/records.h"

#include <algorithm>

#include "tools/rossim/device.h"
#include "tools/rossim/value_text.h"

namespace rossim {
namespace {

const std::vector<MenuSchema>& schemas() {
    static const std::vector<Argument> kMangle = {{.name = "chain", .is_required = true},
                                                  {"dst-address-type"},
                                                  {"action", "accept"},
                                                  {"passthrough", "true"},
                                                  {"connection-mark"},
                                                  {"connection-state"},
                                                  {"dst-address"},
                                                  {"dst-address-list"},
                                                  {"src-address"},
                                                  {"src-address-list"},
                                                  {"protocol"},
                                                  {"src-port"},
                                                  {"dst-port"},
                                                  {"in-interface"},
                                                  {"in-interface-list"},
                                                  {"out-interface"},
                                                  {"out-interface-list"},
                                                  {"routing-mark"},
                                                  {"new-connection-mark"},
                                                  {"new-routing-mark", {}, "/routing/table"},
                                                  {"disabled", "false"},
                                                  {"comment"}};
    static const std::vector<Argument> kFilter6 = {{.name = "chain", .is_required = true},
                                                   {"action", "accept"},
                                                   {"connection-mark"},
                                                   {"connection-state"},
                                                   {"dst-address"},
                                                   {"dst-address-list"},
                                                   {"src-address"},
                                                   {"src-address-list"},
                                                   {"protocol"},
                                                   {"dst-port"},
                                                   {"in-interface"},
                                                   {"in-interface-list"},
                                                   {"out-interface"},
                                                   {"out-interface-list"},
                                                   {"disabled", "false"},
                                                   {"comment"}};
    static const std::vector<Argument> kFilter4 = [] {
        std::vector<Argument> filter = kFilter6;
        filter.push_back({.name = "hw-offload", .until = {7, 20}});
        return filter;
    }();
    static const auto kRoute = [](Version pref_src_since) {
        return std::vector<Argument>{
            {"dst-address"},   {"gateway"},           {"routing-table", "main", "/routing/table"},
            {"distance", "1"}, {"scope", "30"},       {"target-scope", "10"},
            {"check-gateway"}, {"blackhole"},         {.name = "pref-src", .since = pref_src_since},
            {"vrf-interface"}, {"disabled", "false"}, {"comment"}};
    };
    static const std::vector<MenuSchema> kSchemas = {
        {"/system/identity", Access::settings, {{"name"}}},
        {"/ip/service",
         Access::fixed,
         {{"address"},
          {.name = "available-from", .since = {7, 24}},
          {"certificate"},
          {"disabled", "false"},
          {.name = "max-sessions", .since = {7, 16}},
          {"port"},
          {"tls-version"},
          {"vrf"}}},
        {"/user", Access::read_only, {}},
        {"/user/group", Access::read_only, {}},
        {"/routing/table", Access::table, {{"name"}, {"fib"}, {"disabled", "false"}, {"comment"}}},
        {"/ip/firewall/mangle", Access::table, kMangle},
        {"/ipv6/firewall/mangle", Access::table, kMangle},
        {"/ip/firewall/filter", Access::table, kFilter4},
        {"/ipv6/firewall/filter", Access::table, kFilter6},
        {"/ip/address", Access::table, {{"address"}, {"interface"}, {"disabled", "false"}}},
        {"/ipv6/address", Access::table, {{"address"}, {"interface"}, {"disabled", "false"}}},
        {"/ip/route", Access::table, kRoute({0, 0})},
        {"/ipv6/route", Access::table, kRoute({7, 20})},
        {"/ipv6/nd",
         Access::table,
         {{"interface", "all"},
          {"ra-interval", "3m20s-10m"},
          {"ra-delay", "3s"},
          {"mtu"},
          {"reachable-time"},
          {"retransmit-interval"},
          {"ra-lifetime", "30m"},
          {"ra-preference", "medium"},
          {"hop-limit"},
          {"advertise-mac-address", "true"},
          {"advertise-dns", "false"},
          {"managed-address-configuration", "false"},
          {"other-configuration", "false"},
          {"dns"},
          {"pref64"},
          {"disabled", "false"},
          {"comment"}}},
        {"/system/script",
         Access::table,
         {{"name"},
          {"owner"},
          {"policy"},
          {"dont-require-permissions", "false"},
          {"source", {}, {}, kMaxScriptBytes},
          {"comment"}}},
        {"/file",
         Access::table,
         {{"name"}, {.name = "type", .since = {7, 15}}, {"contents", {}, {}, kMaxFileBytes}}},
        {"/ip/dhcp-server/network",
         Access::table,
         {{"address"},
          {"gateway"},
          {"netmask"},
          {"dns-server"},
          {"dns-none"},
          {"ntp-server"},
          {"domain"},
          {"dhcp-option"},
          {"dhcp-option-set"},
          {"next-server"},
          {"boot-file-name"},
          {"wins-server"},
          {"caps-manager"},
          {"comment"}}},
        {"/ip/dhcp-server/option",
         Access::table,
         {{"code"},
          {"name"},
          {"value"},
          {"force", "false"},
          {.name = "comment", .since = {7, 16}}}},
        {"/ip/dhcp-server/lease",
         Access::table,
         {{"address"},
          {"mac-address"},
          {"client-id"},
          {"server"},
          {"address-lists"},
          {"lease-time"},
          {"block-access"},
          {"dhcp-option"},
          {"rate-limit"},
          {"disabled", "false"},
          {"comment"}}},
        {"/ipv6/dhcp-server/binding",
         Access::table,
         {{"address"},
          {"duid"},
          {"iaid"},
          {"server"},
          {"life-time", "3d"},
          {"prefix-pool"},
          {"address-lists"},
          {"rate-limit"},
          {"disabled", "false"},
          {"comment"}}},
        {"/ip/dns",
         Access::settings,
         {{"servers"},
          {"allow-remote-requests", "false"},
          {"cache-size"},
          {"cache-max-ttl"},
          {.name = "address-list-extra-time", .since = {7, 10}},
          {"max-concurrent-queries"},
          {"max-concurrent-tcp-sessions"},
          {"max-udp-packet-size"},
          {"query-server-timeout"},
          {"query-total-timeout"},
          {"use-doh-server"},
          {"verify-doh-cert", "false"},
          {"doh-max-concurrent-queries"},
          {"doh-max-server-connections"},
          {"doh-timeout"},
          {.name = "mdns-repeat-ifaces", .since = {7, 16}},
          {.name = "vrf", .since = {7, 15}}}},
        {"/ip/dns/static",
         Access::table,
         {{"name"},
          {"regexp"},
          {"type"},
          {"address"},
          {"address-list"},
          {"cname"},
          {"forward-to"},
          {"match-subdomain", "false"},
          {"mx-exchange"},
          {"mx-preference"},
          {"ns"},
          {"srv-port"},
          {"srv-priority"},
          {"srv-target"},
          {"srv-weight"},
          {"text"},
          {"ttl"},
          {"disabled", "false"},
          {"comment"}}},
        {"/ip/dns/adlist",
         Access::table,
         {{"url"}, {"file"}, {"ssl-verify", "true"}, {"disabled", "false"}, {"comment"}}},
        {"/ip/dns/forwarders",
         Access::table,
         {{"name"},
          {"dns-servers"},
          {"doh-servers"},
          {"verify-doh-cert", "true"},
          {"disabled", "false"},
          {"comment"}}}};
    return kSchemas;
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

bool is_choice(std::string_view name, Version version) {
    return name == "advertise-dns" && version >= Version{7, 21};
}

// As the version has it.
const Argument* Records::find_argument(const MenuSchema& schema, std::string_view name) const {
    for (const Argument& argument : schema.arguments) {
        if (argument.name != name) continue;
        return version_ >= argument.since && version_ <= argument.until ? &argument : nullptr;
    }
    return nullptr;
}

// A yes or no is printed as true or false.
std::string Records::printed(const Argument& argument, std::string_view value) const {
    if (is_choice(argument.name, version_))
        return value == "false" ? "no" : std::string(value);  // the initial one is a flag's
    if (argument.name == "fib" && value.empty()) return "true";
    const auto truth = parse_bool(value);
    const bool is_bool = parse_bool(argument.initial) || argument.name == "fib";
    return std::string(is_bool && truth ? bool_text(*truth) : value);
}

Records::Records(const Options& options, Told told)
    : version_(options.version), told_(std::move(told)) {
    for (const MenuSchema& schema : schemas())
        menus_.push_back({&schema, {}});
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
        if (version_ >= Version{7, 16})
            find("/ip/service")->rows.back().values.emplace_back("max-sessions", most);
    }
    for (const User& user : options.users) {
        append("/user/group", {{"name", user.name}, {"policy", joined(user.policies)}});
        append("/user", {{"name", user.name}, {"group", user.name}, {"disabled", "false"}});
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
    for (const Menu& menu : menus_) {
        if (menu.schema->path == path) return &menu;
    }
    return nullptr;
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

bool Records::has_verb(std::string_view path, std::string_view verb) const {
    const auto one_of = [verb](std::initializer_list<std::string_view> verbs) {
        return std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
    };
    if (one_of({"print", "getall"})) return true;
    switch (find(path)->schema->access) {
        case Access::table:
            return one_of({"add", "set", "remove", "enable", "disable", "comment", "listen"});
        case Access::settings:
            return verb == "set";
        case Access::fixed:
            return one_of({"set", "enable", "disable", "listen"});
        case Access::read_only:
            break;
    }
    return false;
}

bool Records::has_menu_below(std::string_view path) const {
    return std::any_of(menus_.begin(), menus_.end(), [path](const Menu& menu) {
        const std::string_view full = menu.schema->path;
        return full.starts_with(path) && (full.size() == path.size() || full[path.size()] == '/');
    });
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
        if (name == ".id" || name == "numbers" || name == "place-before") continue;
        const Argument* const argument = find_argument(*menu.schema, name);
        if (argument == nullptr) throw Trap{"unknown parameter " + name, kMissingItem};
        if (value.size() > argument->max_bytes) throw value_too_long(name);
        const bool fits = value == "no" || value == "self" || value == "yes";
        if (is_choice(name, version_) && !fits)
            throw Trap{"input does not match any value of " + name, kBadValue};
        if (argument->must_be_in.empty() || value.empty()) continue;
        const auto& allowed = rows(argument->must_be_in);
        const std::string_view wanted = value;
        const bool known = std::any_of(allowed.begin(), allowed.end(), [&](const Record& row) {
            std::string scratch;
            return row.property("name", scratch) == wanted;
        });
        if (!known) throw Trap{"input does not match any value of " + name, kBadValue};
    }
}

// One row of /ipv6/nd for each interface.
void Records::check_unique(const Menu& menu, std::string_view interface, const Record* self) const {
    if (menu.schema->path != "/ipv6/nd") return;
    const bool known = std::any_of(menu.rows.begin(), menu.rows.end(), [&](const Record& row) {
        std::string scratch;
        return &row != self && row.property("interface", scratch) == interface;
    });
    if (known) throw Trap{"failure: configuration for this interface already exists", std::nullopt};
}

std::string Records::add(Menu& menu, const Sentence& sentence) {
    Record row;
    row.id = menu.last_id + 1;
    for (const Argument& argument : menu.schema->arguments) {
        if (find_argument(*menu.schema, argument.name) == nullptr) continue;
        const std::string* const given = sentence.find(argument.name);
        if (argument.is_required && given == nullptr) {
            throw Trap{"missing value(s) of argument(s) " + std::string(argument.name),
                       kMissingItem};
        }
        const std::string value =
            given != nullptr ? printed(argument, *given) : std::string(argument.initial);
        if (!value.empty()) row.values.emplace_back(argument.name, value);
    }
    std::string scratch;
    check_unique(menu, row.property("interface", scratch).value_or(""), nullptr);
    ++menu.last_id;
    menu.rows.push_back(std::move(row));
    told_(menu.schema->path, menu.last_id, &menu.rows.back());
    return id_text(menu.last_id);
}

void Records::set(Menu& menu, Record& row, const Sentence& sentence) const {
    for (const auto& [name, value] : sentence.attributes) {
        const Argument* const argument = find_argument(*menu.schema, name);
        if (argument == nullptr) continue;
        if (name == "interface") check_unique(menu, value, &row);
        row.set(read_as(menu.schema->path, name, version_), printed(*argument, value));
    }
}

std::optional<std::string> Records::change(const Sentence& sentence) {
    Menu& menu = *find(sentence.menu);
    check(menu, sentence);
    if (sentence.verb == "add") return add(menu, sentence);
    if (menu.schema->access == Access::settings) {
        set(menu, menu.rows[0], sentence);
        return std::nullopt;
    }
    for (const std::uint64_t id : ids_of(sentence)) {
        const auto it = std::find_if(menu.rows.begin(), menu.rows.end(),
                                     [id](const Record& row) { return row.id == id; });
        if (it == menu.rows.end()) throw no_such_item();
        if (sentence.verb == "remove") {
            menu.rows.erase(it);
        } else if (sentence.verb == "enable" || sentence.verb == "disable") {
            it->set("disabled", bool_text(sentence.verb == "disable"));
        } else {
            set(menu, *it, sentence);
        }
        told_(menu.schema->path, id, sentence.verb == "remove" ? nullptr : &*it);
    }
    return std::nullopt;
}

std::uint64_t Records::put(std::string_view path, const Attributes& attributes) {
    Menu* const menu = find(path);
    if (menu == nullptr || menu->schema->access != Access::table)
        throw Trap{"no such command prefix", kMissingItem};
    std::optional<std::uint64_t> id;
    bool is_dead = false;
    for (const auto& [name, value] : attributes) {
        if (name == ".id") id = parse_id(value);
        if (name == ".dead") is_dead = true;
    }
    if (!id) {
        menu->rows.emplace_back().id = ++menu->last_id;
        id = menu->last_id;
    }
    const auto it = std::find_if(menu->rows.begin(), menu->rows.end(),
                                 [id](const Record& row) { return row.id == *id; });
    if (it == menu->rows.end()) throw no_such_item();
    if (is_dead) {
        menu->rows.erase(it);
        told_(path, *id, nullptr);
        return *id;
    }
    for (const auto& [name, value] : attributes) {
        if (name != ".id") it->set(name, value);
    }
    told_(path, *id, &*it);
    return *id;
}

}  // namespace rossim
