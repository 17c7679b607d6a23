// The upstreams of a router: servers, DoH, forwarders.
#include <algorithm>

#include "tools/import/ros_import.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace {

constexpr std::uint64_t kMinTimeoutMs = 50, kMinTotalMs = 100, kMaxTimeoutMs = 60'000;

// The duration of a setting within what we accept; `fallback_ms` is RouterOS's default.
std::string time_of(const RosDns& dns, std::string_view name, std::uint64_t fallback_ms,
                    std::uint64_t least_ms, std::vector<Note>& notes) {
    const RosSetting* const setting = dns.find(name);
    if (setting == nullptr) return duration_text(fallback_ms);
    const auto ms = parse_ros_time(setting->text);
    if (!ms) {
        notes.push_back({setting->place, std::string(name) + "=" + in_quotes(setting->text) +
                                             " is not a time: RouterOS's default is used"});
        return duration_text(fallback_ms);
    }
    const std::uint64_t fit = std::clamp(*ms, least_ms, kMaxTimeoutMs);
    if (fit != *ms)
        notes.push_back({setting->place, std::string(name) + "=" + setting->text + " becomes " +
                                             duration_text(fit) + ", the nearest accepted value"});
    return duration_text(fit);
}

// A number that differs from RouterOS's default; empty: our default applies.
std::string number_of(const RosDns& dns, std::string_view name, std::string_view fallback,
                      std::uint64_t most, std::vector<Note>& notes) {
    const RosSetting* const setting = dns.find(name);
    if (setting == nullptr || setting->text == fallback) return {};
    const auto number = parse_number(setting->text, most);
    if (number && *number > 0) return setting->text;
    notes.push_back({setting->place, std::string(name) + "=" + in_quotes(setting->text) +
                                         " is not imported: expected 1.." + std::to_string(most)});
    return {};
}

// A server by address or name; a note instead if it cannot be asked from here.
void add_server(const std::string& server, const std::string& place, const std::string& timeout,
                Forward& out) {
    const auto leave_out = [&](const std::string& why) {
        out.notes.push_back(
            {place, "the server " + in_quotes(server) + " is not imported: " + why});
    };
    if (server.find('%') != std::string::npos)
        return leave_out("its interface belongs to the router");
    if (is_v4(server) || is_v6(server)) {
        if (!can_be_asked(server)) return leave_out("it is not the address of a server");
    } else if (!is_host_name(server)) {
        return leave_out("it is neither an address nor a name");
    }
    Upstream upstream;
    upstream.addr = server;
    upstream.timeout = timeout;
    out.upstreams.push_back(std::move(upstream));
}

void add_doh(const std::string& url, const std::string& place, const std::string& timeout,
             bool verified, const RosDns& dns, Forward& out) {
    const std::string host = host_of_url("https", url);
    const bool is_address = is_v4(host) || is_v6(host);
    const bool fits = is_address ? can_be_asked(host) : !host.empty();
    if (!fits || url.find('#') != std::string::npos) {
        out.notes.push_back({place, "the DoH server " + in_quotes(url) +
                                        " is not imported: expected https://NAME/PATH"});
        return;
    }
    Upstream upstream;
    upstream.addr = url;
    upstream.timeout = timeout;
    upstream.unverified = !verified;
    if (!verified)
        upstream.notes.push_back(
            {place,
             "verify-doh-cert=no is imported: an attacker on the path can forge answers; remove "
             "insecure_skip_verify to verify " +
                 host + " with the system's CA certificates"});
    for (const RosRow& row : dns.statics) {
        const std::string address = row.get("address");
        const bool is_host =
            plain_name(row.get("name")) == plain_name(host) && !row.is_true("disabled");
        if (is_host && (is_v4(address) || is_v6(address)) && can_be_asked(address)) {
            upstream.dial_addr = address;
            break;
        }
    }
    out.upstreams.push_back(std::move(upstream));
}

// The first of `servers` resolves the name of a DoH server, as on the router.
void add_bootstrap(const RosDns& dns, Forward& out) {
    const RosSetting* const servers = dns.find("servers");
    if (servers == nullptr) return;
    for (const std::string& server : split(servers->text, ',')) {
        if (!can_be_asked(server)) continue;
        if (out.bootstrap.empty()) {
            out.bootstrap = server;
            continue;
        }
        out.notes.push_back({servers->place, "the server " + server +
                                                 " is not imported: with use-doh-server, servers "
                                                 "only resolve its name, and " +
                                                 out.bootstrap + " does that"});
    }
}

void note_dynamic(const RosDns& dns, Forward& out) {
    const RosSetting* const dynamic = dns.find("dynamic-servers");
    if (dynamic == nullptr || dynamic->text.empty()) return;  // a router prints it empty, too
    out.notes.push_back(
        {dynamic->place,
         "dynamic-servers=" + dynamic->text + " are not imported: " +
             (out.upstreams.empty() ? "the forward uses the DNS servers of this host"
                                    : "the forward uses 'servers'")});
}

bool asks_over_doh(const Forward& forward) {
    return std::ranges::any_of(forward.upstreams,
                               [](const Upstream& u) { return u.addr.starts_with("https://"); });
}

// The two limits of RouterOS, their defaults, and the reason if a limit is unused.
struct QueryLimit {
    std::string_view name, usual, unused;
};
constexpr QueryLimit kPlainLimit{"max-concurrent-queries", "100", "all servers use DoH"};
constexpr QueryLimit kDohLimit{"doh-max-concurrent-queries", "50", "no server uses DoH"};

}  // namespace

Forward main_forward(const RosDns& dns) {
    Forward out;
    out.tag = "forward_main";
    out.policy = "sticky";
    out.total_timeout = time_of(dns, "query-total-timeout", 10'000, kMinTotalMs, out.notes);
    if (const RosSetting* const doh = dns.find("use-doh-server")) {
        const std::string timeout = time_of(dns, "doh-timeout", 5000, kMinTimeoutMs, out.notes);
        const RosSetting* const verify = dns.find("verify-doh-cert");
        add_doh(doh->text, doh->place, timeout, verify != nullptr && is_ros_true(verify->text), dns,
                out);
        const std::string connections =
            number_of(dns, "doh-max-server-connections", "5", 4096, out.notes);
        for (Upstream& upstream : out.upstreams)
            upstream.max_conns = connections;
        const bool by_name = !out.upstreams.empty() && out.upstreams.front().dial_addr.empty() &&
                             !is_v4(host_of_url("https", doh->text)) &&
                             !is_v6(host_of_url("https", doh->text));
        if (by_name) add_bootstrap(dns, out);
        if (!out.upstreams.empty()) return out;
    }
    if (const RosSetting* const servers = dns.find("servers")) {
        const std::string timeout =
            time_of(dns, "query-server-timeout", 2000, kMinTimeoutMs, out.notes);
        for (const std::string& server : split(servers->text, ','))
            add_server(server, servers->place, timeout, out);
    }
    note_dynamic(dns, out);
    if (out.upstreams.empty() && !out.notes.empty() && dns.find("servers") != nullptr)
        out.notes.push_back(
            {dns.find("servers")->place,
             "no server is imported: the forward uses the DNS servers of this host"});
    return out;
}

Forwarders read_forwarders(const RosDns& dns) {
    Forwarders out;
    for (const RosRow& row : dns.forwarders) {
        const std::string name = row.get("name");
        const auto leave_out = [&](const std::string& why) {
            out.notes.push_back(
                {row.place, "the forwarder " + in_quotes(name) + " is not imported: " + why});
        };
        if (name.empty() || out.tags.contains(name)) {
            leave_out(name.empty() ? "it has no name" : "an earlier forwarder has this name");
            continue;
        }
        if (row.is_true("disabled")) {
            leave_out("it is disabled");
            continue;
        }
        Forward forward;
        forward.tag = "to_" + tag_of(name);
        while (std::ranges::any_of(out.all, [&](const Forward& f) { return f.tag == forward.tag; }))
            forward.tag += '_';
        forward.policy = "round_robin";
        forward.notes = unknown_properties(
            row, {"name", "dns-servers", "doh-servers", "verify-doh-cert", "comment", "disabled"});
        const std::string timeout =
            time_of(dns, "query-server-timeout", 2000, kMinTimeoutMs, forward.notes);
        const std::string doh_timeout =
            time_of(dns, "doh-timeout", 5000, kMinTimeoutMs, forward.notes);
        for (const std::string& server : split(row.get("dns-servers"), ','))
            add_server(server, row.place, timeout, forward);
        for (const std::string& url : split(row.get("doh-servers"), ','))
            add_doh(url, row.place, doh_timeout, is_ros_true(row.get("verify-doh-cert", "yes")),
                    dns, forward);
        if (forward.upstreams.empty()) {
            out.notes.insert(out.notes.end(), forward.notes.begin(), forward.notes.end());
            leave_out("it has no usable server");
            continue;
        }
        out.tags.emplace(name, forward.tag);
        out.all.push_back(std::move(forward));
    }
    return out;
}

Forward forward_to_servers(const RosDns& dns, const std::vector<std::string>& servers,
                           const std::string& place) {
    Forward out;
    out.policy = "sticky";
    const bool has_timeout = dns.find("query-server-timeout") != nullptr;
    const std::string timeout =
        has_timeout ? time_of(dns, "query-server-timeout", 2000, kMinTimeoutMs, out.notes) : "";
    out.notes.clear();  // `forward_main` has them
    for (const std::string& server : servers)
        add_server(server, place, timeout, out);
    return out;
}

void limit_queries(const RosDns& dns, Forward& forward) {
    constexpr std::uint64_t kMaxQueries = 1'000'000;
    const QueryLimit& limit = asks_over_doh(forward) ? kDohLimit : kPlainLimit;
    forward.max_queries = number_of(dns, limit.name, "", kMaxQueries, forward.notes);
}

std::vector<Note> limits_of_nobody(const RosDns& dns, const std::vector<const Forward*>& all) {
    std::vector<Note> notes;
    for (const bool is_doh : {false, true}) {
        const QueryLimit& limit = is_doh ? kDohLimit : kPlainLimit;
        const RosSetting* const setting = dns.find(limit.name);
        const bool is_used = std::ranges::any_of(
            all, [is_doh](const Forward* f) { return asks_over_doh(*f) == is_doh; });
        if (setting == nullptr || setting->text == limit.usual || is_used) continue;
        notes.push_back({setting->place, in_quotes(std::string(limit.name) + "=" + setting->text) +
                                             " is not imported: " + std::string(limit.unused)});
    }
    return notes;
}

}  // namespace steer::importing
