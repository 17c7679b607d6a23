#include "control/config/predecessors.h"

#include <algorithm>
#include <array>

#include "control/config/plugins/plugin_type.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr auto kNone = PredecessorKey::Fate::no_effect;
constexpr auto kZero = PredecessorKey::Fate::zero_is_default;

constexpr PredecessorKey kKeys[] = {
    {"upstream", "enable_http3", kNone, "it is asked over HTTP/2; remove the key"},
    {"http_server", "enable_http3", kNone, "it answers over HTTP/2 and HTTP/1.1; remove the key"},
    {"entry", "json_api", kNone,
     "queries are answered as in RFC 8484; clients that ask for JSON get an error"},
    {"forward", "enable_http3", kNone, "upstreams are asked over HTTP/2; remove the key"},
    {"download", "socks5", kNone,
     "files are fetched without a proxy; if the server needs a proxy, fetch them with another "
     "program"},
    {"download", "outbound", kNone,
     "files are fetched without a proxy, and the configured upstreams resolve the server's name; "
     "remove the key"},
    {"ros_address_list", "wait_timeout", kNone,
     "with 'async: false', an answer waits 'sync_timeout' (100ms)"},
    {"ros_address_list", "queue_capacity", kNone, "'max_rows' limits the list (50000)"},
    {"tls", "server_name", kNone,
     "the certificate is checked for the host in 'address'; write 'pin' if it has another name"},
    {"tls", "insecure", kNone,
     "the certificate is always checked; write 'pin' if it is self-signed"},
    {"cache", "compress_resp", kNone, "answers are always compressed (RFC 1035 4.1.4)"},
    {"cache", "dump_size", kNone, "the whole cache is dumped; remove the key"},
    {"query_summary", "name", kNone, "the lines have no name of their own; write 'msg'"},
    {"hosts", "auto_reload", kNone, "files are read again when they change ('watch' of 'control')"},
    {"domain_set", "auto_reload", kNone,
     "files are read again when they change ('watch' of 'control')"},
    {"ip_set", "auto_reload", kNone,
     "files are read again when they change ('watch' of 'control')"},
    {"cache", "size", kZero, ""},
    {"cache", "dump_interval", kZero, ""},
    {"upstream", "idle_timeout", kZero, ""},
    {"upstream", "max_conns", kZero, ""},
    {"upstream", "port", kZero, ""},
    {"upstream", "timeout", kZero, ""},
    {"tcp_server", "idle_timeout", kZero, ""},
    {"http_server", "idle_timeout", kZero, ""},
    {"reverse_lookup", "size", kZero, ""},
    {"reverse_lookup", "ttl", kZero, ""},
    {"rate_limiter", "qps", kZero, ""},
    {"rate_limiter", "burst", kZero, ""},
    {"rate_limiter", "mask4", kZero, ""},
    {"rate_limiter", "mask6", kZero, ""},
};

constexpr auto kLeftOut = PredecessorType::Fate::no_effect;
constexpr auto kRefused = PredecessorType::Fate::refused;
constexpr auto kExecutor = Role::executor;

constexpr PredecessorType kTypes[] = {
    {"query_recorder", kExecutor, kLeftOut,
     "queries are not recorded; use a query_summary to log each query"},
    {"http_request", kExecutor, kLeftOut, "no request is sent; remove it"},
    {"script", kExecutor, kLeftOut, "no program is started; remove it"},
    {"upgrade", kExecutor, kLeftOut, "the package manager upgrades this program; remove it"},
    {"quic_server", Role::server, kLeftOut,
     "DNS over QUIC is not served; write a tcp_server with 'cert' and 'key' for DNS over TLS"},
    {"ip_selector", kExecutor, kRefused,
     "addresses keep the order of the upstream; remove it and its uses"},
    {"ros_route", kExecutor, kRefused,
     "use a ros_address_list, and a mangle rule on the router that sets a routing mark for its "
     "list"},
};

// Types of mosdns v4 and mosdns-x that v5 does not have.
constexpr std::string_view kTypesOfV4[] = {
    "fast_forward", "query_matcher", "response_matcher", "blackhole",      "_block",        "_pass",
    "bufsize",      "padding",       "edns0_filter",     "query_is_edns0", "client_limiter"};

constexpr std::string_view kOthersWithKeys[] = {"upstream", "download", "entry", "job", "log"};

// "upstream" of "upstream 2 of forward 'main'", "cache" of "cache 'main'", "log" of "'log'".
std::string_view first_word(std::string_view owner) {
    if (owner.starts_with('\'')) {
        owner.remove_prefix(1);
        return owner.substr(0, owner.find('\''));
    }
    return owner.substr(0, owner.find(' '));
}

const PredecessorKey* find_key(std::string_view where, std::string_view key,
                               PredecessorKey::Fate fate) {
    const auto* const at = std::ranges::find_if(kKeys, [&](const PredecessorKey& row) {
        return row.where == where && row.key == key && row.fate == fate;
    });
    return at == std::end(kKeys) ? nullptr : at;
}

bool says_nothing(const Node& node) {
    if (node.is_null()) return true;
    if (node.is_text())
        return node.text.empty() || node.text == "0" || lowered(node.text) == "false";
    return node.is_list() ? node.items.empty() : node.entries.empty();
}

bool is_secret_or_address(std::string_view key) {
    return key == "username" || key == "address" || key.starts_with("password");
}

}  // namespace

std::span<const PredecessorKey> predecessor_keys() {
    return kKeys;
}
std::span<const PredecessorType> predecessor_types() {
    return kTypes;
}

const PredecessorType* find_predecessor_type(std::string_view name) {
    const auto* const at = std::ranges::find(kTypes, name, &PredecessorType::name);
    return at == std::end(kTypes) ? nullptr : at;
}

void report_type(Reading& in, const PredecessorType& type, int line, const std::string& where) {
    const std::string name = std::string(type.name) + " " + where;
    if (type.fate == PredecessorType::Fate::refused) {
        in.report().error(line, name + " is not supported: " + std::string(type.text));
    } else {
        in.report().warn(line, name + " has no effect here: " + std::string(type.text));
    }
}

bool take_predecessor_key(Reading& in, const Entry& entry, std::string_view owner) {
    const auto* const row = find_key(first_word(owner), entry.key, kNone);
    if (row == nullptr) return false;
    if (!says_nothing(entry.value)) {
        in.report().warn(entry.line, Place{entry.key, owner, entry.line}.name() +
                                         " has no effect here: " + std::string(row->text));
    }
    return true;
}

bool counts_as_absent(Reading& in, const Entry& entry, std::string_view owner) {
    const std::string_view where = first_word(owner);
    const bool of_theirs =
        find_type(where) != nullptr || std::ranges::count(kOthersWithKeys, where) > 0;
    if (!of_theirs || is_secret_or_address(entry.key)) return false;
    const auto name = [&] { return Place{entry.key, owner, entry.line}.name(); };
    if (entry.value.is_null() || (entry.value.is_text() && entry.value.text.empty())) {
        in.report().warn(entry.line,
                         name() + " is empty and is ignored: remove it, or write a value");
        return true;
    }
    if (entry.value.is_text() && entry.value.text == "0" &&
        find_key(where, entry.key, kZero) != nullptr) {
        in.report().warn(entry.line, name() + " is 0, so its default applies: remove it");
        return true;
    }
    return false;
}

bool is_mosdns_v4(Reading& in, const Node& top) {
    const auto say = [&](int line, std::string_view what) {
        in.report().error(
            line, std::string(what) +
                      " belongs to mosdns v4 or mosdns-x: convert the configuration to mosdns v5, "
                      "where servers and lists are plugins and a sequence is a list of {matches, "
                      "exec}");
        return true;
    };
    for (const std::string_view key : {"data_providers", "servers"}) {
        const auto at = std::ranges::find(top.entries, key, &Entry::key);
        if (at != top.entries.end()) return say(at->line, "the section '" + at->key + "'");
    }
    const Node* const plugins = top.find("plugins");
    if (plugins == nullptr || !plugins->is_list()) return false;
    for (const Node& plugin : plugins->items) {
        const Node* const type = plugin.is_map() ? plugin.find("type") : nullptr;
        if (type != nullptr && type->is_text() && std::ranges::count(kTypesOfV4, type->text) > 0)
            return say(type->line, "plugin type " + matchers::quoted(type->text));
        const Node* const args = plugin.is_map() ? plugin.find("args") : nullptr;
        if (type != nullptr && type->is_text() && type->text == "sequence" && args != nullptr &&
            args->is_map() && args->find("exec") != nullptr && args->find("exec")->is_list())
            return say(args->line, "a sequence whose 'args' has one list 'exec'");
    }
    return false;
}

}  // namespace steer::config
