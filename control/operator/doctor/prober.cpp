#include "control/operator/doctor/prober.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <thread>

#include "control/operator/doctor/advertisement.h"
#include "control/operator/doctor/checks.h"
#include "control/operator/doctor/probe.h"
#include "control/operator/doctor/wire.h"
#include "dataplane/dns/pref64.h"
#include "matchers/prefix/prefix_set.h"
#include "routeros/address.h"

namespace steer::doctor {
namespace {

using routeros::Menu;
using Seen = Nat64Watch::Seen;
namespace forms = routeros::forms;

// A row, an entry or a counter may show a little later than the packet.
constexpr unsigned kAttempts = 12;
constexpr std::chrono::milliseconds kBetweenAttempts{250};

void pause() {
    std::this_thread::sleep_for(kBetweenAttempts);
}

std::uint64_t number_of(std::string_view text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::optional<dns::Pref64> pref64_of(const std::string& text) {
    const std::size_t slash = text.find('/');
    const auto address = IpAddress::parse(text.substr(0, slash));
    if (!address || slash == text.npos) return std::nullopt;
    dns::Pref64 prefix;
    std::ranges::copy(address->bytes, prefix.prefix.begin());
    prefix.length = static_cast<std::uint8_t>(number_of(std::string_view(text).substr(slash + 1)));
    return dns::Pref64::is_length(prefix.length) ? std::optional(prefix) : std::nullopt;
}

class Prober {
  public:
    Prober(routeros::Client& client, const RouterFacts& router, const Expected& expected,
           const ProbeOptions& options)
        : client_(client), router_(router), expected_(expected), options_(options) {
        for (const std::string& prefix : expected.nat64) {
            if (const auto read = pref64_of(prefix)) prefixes_.push_back(*read);
        }
        const auto from = options.from ? options.from : IpAddress::parse(client.local_address());
        if (from && !from->is_loopback()) foot_ = find_foot(*from);
        if (options.from) bound_ = foot_;
    }

    ProbeResult run() {
        if (!options_.name.empty()) probe_name();
        if (!prefixes_.empty()) {
            hear();
            if (!options_.name_for_nat64().empty()) probe_nat64();
        }
        return std::move(out_);
    }

  private:
    void step(const char* name, StepEnd end, std::string text) {
        out_.steps.push_back({name, end, std::move(text)});
    }
    void fail(const char* name, const char* check, std::string what, const char* why,
              std::string advice) {
        step(name, StepEnd::failed, what);
        out_.findings.push_back(problem(check, std::move(what), why, std::move(advice)));
    }
    void note(const char* name, const char* check, std::string what, const char* why,
              std::string advice) {
        step(name, StepEnd::unknown, what);
        out_.findings.push_back(problem(check, std::move(what), why, std::move(advice)));
        out_.findings.back().level = Level::advice;
    }

    void probe_name();
    std::vector<IpAddress> resolve_name(const std::string& name, bool v4, bool& is_answered);
    void probe_address(const IpAddress& address);
    void find_row(Probed& probed);
    void find_route(Probed& probed, Menu menu);
    std::string find_covering_row(Probed& probed, Menu menu, const std::vector<std::string>& lists);
    void find_connection(Probed& probed, std::uint16_t source_port);
    Counters read_counters(Menu menu);
    void await_counters(Probed& probed);
    void hear();
    void probe_nat64();
    std::optional<IpAddress> translated_address(const std::string& name);
    void connect_through_nat64(const IpAddress& translated);
    [[nodiscard]] const dns::Pref64* prefix_of(const IpAddress& address) const;

    routeros::Client& client_;
    const RouterFacts& router_;
    const Expected& expected_;
    const ProbeOptions& options_;
    std::optional<Foot> foot_;   // towards clients, or towards the router
    std::optional<Foot> bound_;  // the same, if the operator chose it: connections leave there
    std::vector<dns::Pref64> prefixes_;
    bool is_resolved_ = true;  // the probed name
    ProbeResult out_;
};

const dns::Pref64* Prober::prefix_of(const IpAddress& address) const {
    const auto it = std::ranges::find_if(prefixes_, [&](const dns::Pref64& prefix) {
        return !address.is_v4() && prefix.holds(address.bytes.data());
    });
    return it != prefixes_.end() ? &*it : nullptr;
}

// From the chosen address, over the family that its interface has an address of. AAAA over IPv6 first: DNS64 may answer only that.
std::vector<IpAddress> Prober::resolve_name(const std::string& name, bool v4, bool& is_answered) {
    const auto source = [&](const IpAddress& server) {
        if (!bound_) return std::optional<IpAddress>();
        return server.is_v4() ? bound_->v4 : bound_->v6;
    };
    const std::optional<IpAddress>* chosen = nullptr;
    for (const auto* server :
         {v4 ? &expected_.dns4 : &expected_.dns6, v4 ? &expected_.dns6 : &expected_.dns4}) {
        if (!*server) continue;
        if (chosen == nullptr || (bound_ && !source(**chosen) && source(**server))) chosen = server;
    }
    if (chosen == nullptr) return {};
    Resolved got = resolve(name, v4, **chosen, source(**chosen));
    is_answered = is_answered || got.is_answered;
    return std::move(got.addresses);
}

void Prober::probe_name() {
    if (!expected_.dns4 && !expected_.dns6)
        return note("resolve", "probe-server",
                    "the address of SteerDNS that clients ask is unknown",
                    "the name cannot be resolved as a client does", "set `addresses` of the port");
    bool is_answered = false;
    std::vector<IpAddress> found;
    std::string text;
    for (const bool v4 : {true, false}) {
        auto addresses = resolve_name(options_.name, v4, is_answered);
        std::erase_if(addresses, [&](const IpAddress& a) { return prefix_of(a) != nullptr; });
        if (addresses.empty()) continue;
        found.push_back(addresses.front());
        text.append(text.empty() ? "" : ", ").append(addresses.front().to_string());
    }
    is_resolved_ = !found.empty();
    const std::string server = (expected_.dns4 ? *expected_.dns4 : *expected_.dns6).to_string();
    if (!is_answered)
        return fail(
            "resolve", "probe-resolve",
            "SteerDNS (" + server + ") does not answer for " + options_.name,
            "clients resolve no names, or this host may not ask",
            "check steerctl status, and `allow` of `dataplane` for the address of this host");
    if (!is_resolved_)
        return fail("resolve", "probe-resolve", options_.name + " has no address",
                    "nothing can be connected to", "check the name: steerctl why " + options_.name);
    step("resolve", StepEnd::ok, options_.name + " is " + text);
    for (const IpAddress& address : found) {
        if (!expected_.lists(address.is_v4()).empty() || !expected_.plan.route_tables.empty())
            probe_address(address);
    }
}

void Prober::probe_address(const IpAddress& address) {
    Probed probed;
    probed.name = options_.name;
    probed.address = address;
    probed.port = options_.port;
    find_row(probed);
    probed.before = read_counters(address.is_v4() ? Menu::ip : Menu::ipv6);
    const Connection connection = connect_to(address, options_.port, bound_);
    probed.source = connection.source;
    probed.failure = connection.failure;
    find_connection(probed, connection.source_port);
    await_counters(probed);
    judge_probe(router_, expected_, probed, out_.findings, out_.steps);
}

void Prober::find_row(Probed& probed) {
    const bool v4 = probed.address.is_v4();
    const Menu menu = v4 ? Menu::ip : Menu::ipv6;
    const auto lists = expected_.lists(v4);
    const std::string text = probed.address.to_string() + (v4 ? "" : "/128");
    for (unsigned attempt = 0; attempt < kAttempts && !probed.list && !probed.route; ++attempt) {
        if (attempt > 0) pause();
        find_route(probed, menu);
        if (probed.route || !probed.row_error.empty()) return;
        if (lists.empty()) continue;
        routeros::Client::Reply reply;
        probed.row_error = client_.ask(
            routeros::Command(forms::print_rows, menu).proplist().query("address", text), reply);
        if (probed.row_error.empty() && !reply.ending.ok) probed.row_error = reply.ending.message;
        if (!probed.row_error.empty()) return;
        for (auto& values : reply.rows) {
            const Row row(std::move(values));
            if (row.is_enabled() && std::ranges::count(lists, row.get("list")) > 0)
                probed.list = row.get("list");
        }
        if (attempt == 0 && !probed.list) probed.row_error = find_covering_row(probed, menu, lists);
        if (!probed.row_error.empty()) return;
    }
}

// Of a ros_route. Versions print the route with its length or without.
void Prober::find_route(Probed& probed, Menu menu) {
    const auto& tables = expected_.plan.route_tables;
    if (tables.empty()) return;
    const std::string host = probed.address.to_string();
    routeros::Command command(forms::print_routes, menu);
    command.proplist()
        .query("dst-address", host)
        .query("dst-address", host + (probed.address.is_v4() ? "/32" : "/128"))
        .query_ops("|");
    routeros::Client::Reply reply;
    probed.row_error = client_.ask(command, reply);
    if (probed.row_error.empty() && !reply.ending.ok) probed.row_error = reply.ending.message;
    for (auto& values : reply.rows) {
        Row row(std::move(values));
        if (row.is_enabled() && std::ranges::count(tables, row.get("routing-table")) > 0)
            probed.route = std::move(row);
    }
}

// Our prefix that covers the address: the whole lists are read for it.
std::string Prober::find_covering_row(Probed& probed, Menu menu,
                                      const std::vector<std::string>& lists) {
    const std::vector<std::string_view> names(lists.begin(), lists.end());
    routeros::Client::Reply reply;
    if (std::string why = client_.ask(routeros::print_groups({menu}, names), reply); !why.empty())
        return why;
    if (!reply.ending.ok) return reply.ending.message;
    for (auto& values : reply.rows) {
        const Row row(std::move(values));
        const auto prefix = matchers::Prefix::parse(row.get("address"));
        const bool holds =
            row.is_enabled() && prefix && prefix->address.is_v4() == probed.address.is_v4() &&
            matchers::Prefix::masked(probed.address, prefix->length).address == prefix->address;
        if (holds) probed.list = row.get("list");
    }
    return {};
}

// Only what goes to that address is asked for, in each form that routers print.
void Prober::find_connection(Probed& probed, std::uint16_t source_port) {
    const bool v4 = probed.address.is_v4();
    const std::string host = probed.address.to_string(), port = std::to_string(probed.port);
    const std::string both = v4 ? host + ":" + port : "[" + host + "]:" + port;
    for (unsigned attempt = 0; attempt < kAttempts && !probed.tracked; ++attempt) {
        if (attempt > 0) pause();
        routeros::Client::Reply reply;
        routeros::Command command(forms::find_connections, v4 ? Menu::ip : Menu::ipv6);
        command.proplist().query("dst-address", host).query("dst-address", both).query_ops("|");
        probed.tracking_error = client_.ask(command, reply);
        // An entry may vanish during the print: it is checked again.
        const bool is_cut = !reply.ending.ok && reply.ending.says("no such item");
        if (probed.tracking_error.empty() && !reply.ending.ok && !is_cut)
            probed.tracking_error = reply.ending.message;
        if (!probed.tracking_error.empty()) return;
        for (auto& values : reply.rows) {
            if (auto found = read_tracked(Row(std::move(values)), probed, source_port))
                probed.tracked = std::move(found);
        }
    }
}

Counters Prober::read_counters(Menu menu) {
    Counters counters;
    const auto read = [&](const routeros::Command& command, const char* key, const char* value,
                          auto& into) {
        routeros::Client::Reply reply;
        std::string why = client_.ask(command, reply);
        if (why.empty() && !reply.ending.ok) why = reply.ending.message;
        if (!why.empty() && counters.error.empty()) counters.error = why;
        for (auto& values : reply.rows) {
            const Row row(std::move(values));
            if (row.has(value)) into[std::string(row.get(key))] = number_of(row.get(value));
        }
    };
    read(routeros::Command(forms::read_interface_counters).proplist(), "name", "tx-packet",
         counters.sent);
    read(routeros::Command(forms::read_rule_counters, menu).attribute("stats", "").proplist(),
         ".id", "packets", counters.matched);
    return counters;
}

// Until both the table's rule and the egress have counted, if the connection was marked.
void Prober::await_counters(Probed& probed) {
    const Menu menu = probed.address.is_v4() ? Menu::ip : Menu::ipv6;
    probed.after = read_counters(menu);
    if (!probed.tracked || !probed.after.error.empty()) return;
    const EgressPath path = egress_path(router_, expected_, probed);
    const bool is_translated =
        probed.tracked->answered && *probed.tracked->answered != probed.source;
    if (probed.tracked->mark != path.mark || is_translated || path.interface.empty()) return;
    // More connections, so that a few packets of others do not pass for ours.
    constexpr std::uint64_t kMore = 8;
    for (std::uint64_t i = 0; i < kMore && probed.failure.empty(); ++i) {
        (void)connect_to(probed.address, probed.port, bound_);
        ++probed.packets;
    }
    const auto has_counted = [&] {
        return rise(probed.before.sent, probed.after.sent, path.interface) >= probed.packets &&
               (path.table_rule == nullptr || rise(probed.before.matched, probed.after.matched,
                                                   path.table_rule->id()) >= probed.packets);
    };
    for (unsigned attempt = 1; attempt < kAttempts && !has_counted(); ++attempt) {
        pause();
        probed.after = read_counters(menu);
    }
}

// ---- an IPv6-mostly network

void Prober::hear() {
    constexpr const char* kWhy = "what clients hear is unknown";
    constexpr const char* kAdvice =
        "probe from an address of a client segment: --probe-from ADDRESS";
    if (!foot_)
        return note("advertisement", "probe-segment",
                    "the interface of this host towards clients is unknown", kWhy, kAdvice);
    const auto& own = foot_->v6 ? foot_->v6 : foot_->v4;
    const std::string interface = own ? interface_towards(router_, *own) : std::string();
    if (interface.empty() || !advertises_on(router_, interface))
        return note("advertisement", "probe-segment",
                    foot_->interface +
                        " of this host is on no segment where the router advertises" +
                        (interface.empty() ? "" : " (" + interface + ")"),
                    kWhy, kAdvice);
    Announced wanted{
        expected_.nat64, {}, advertisement_interval_s(router_, interface), foot_->interface};
    if (expected_.dns6) wanted.servers.push_back(*expected_.dns6);
    for (const Row& row : router_.table("/ipv6/address").rows) {
        if (const auto address = IpAddress::parse(host_of(row.get("address"))))
            wanted.servers.push_back(*address);
    }
    const Solicited received = solicit(*foot_, [&](const std::vector<Advertisement>& all) {
        Findings findings;
        Steps steps;
        judge_advertisements(all, wanted, findings, steps);
        return findings.empty();
    });
    if (!received.error.empty())
        return note("advertisement", "probe-rights", received.error, kWhy,
                    "run steerctl doctor as root, or with CAP_NET_RAW");
    judge_advertisements(received.advertisements, wanted, out_.findings, out_.steps);
}

std::optional<IpAddress> Prober::translated_address(const std::string& name) {
    bool is_answered = false;
    std::string native;
    for (const IpAddress& address : resolve_name(name, false, is_answered)) {
        if (prefix_of(address) != nullptr) {
            step("dns64", StepEnd::ok, name + " is translated to " + address.to_string());
            return address;
        }
        native = address.to_string();
    }
    const auto v4 = resolve_name(name, true, is_answered);
    if (v4.empty()) {
        fail(
            "dns64", "probe-dns64",
            name + (is_answered ? " has no IPv4 address"
                                : " is not resolved by SteerDNS for this host"),
            "the NAT64 cannot be probed",
            is_answered
                ? "give a name with IPv4 addresses only: --probe-nat64 NAME"
                : "check steerctl status, and `allow` of `dataplane` for the address of this host");
        return std::nullopt;
    }
    if (native.empty()) {
        fail("dns64", "probe-dns64",
             name + " (" + v4.front().to_string() + ") has no translated address",
             "IPv6-only clients do not reach names with IPv4 addresses only",
             "check `dns64`: its place in the sequence, `except`, `exclude_ipv4`, and whether this "
             "host may have translated answers (`allow_ipv4`)");
        return std::nullopt;
    }
    step("dns64", StepEnd::unknown,
         name + " has an IPv6 address of its own (" + native +
             "): --probe-nat64 NAME takes another");
    IpAddress made;
    prefixes_.front().embed(v4.front().v4(), made.bytes.data());
    return made;
}

void Prober::probe_nat64() {
    const std::string& name = options_.name_for_nat64();
    if (name == options_.name && !is_resolved_) {
        // It may have a translated address only.
        bool is_answered = false;
        if (resolve_name(name, true, is_answered).empty())
            return step("nat64", StepEnd::unknown, name + " has no IPv4 address");
    }
    if (const auto translated = translated_address(name)) return connect_through_nat64(*translated);
    step("nat64", StepEnd::unknown, "there is no translated address to connect to");
}

// The same server over IPv4 says whether the NAT64 is to blame. A refusal has come from the server, so both directions work.
void Prober::connect_through_nat64(const IpAddress& translated) {
    const Connection tried = connect_to(translated, options_.port, bound_);
    const std::string text = translated.to_string() + ", port " + std::to_string(options_.port);
    if (tried.failure.empty() || tried.is_refused) {
        out_.nat64 = Seen::alive;
        return step("nat64", StepEnd::ok,
                    "a connection to " + text +
                        (tried.is_refused ? " was refused by the server" : " was established"));
    }
    IpAddress v4 = IpAddress::from_v4(std::array<std::uint8_t, 4>{}.data());
    prefix_of(translated)->extract(translated.bytes.data(), v4.bytes.data() + 12);
    const Connection direct = connect_to(v4, options_.port, std::nullopt);
    const std::string failure = "a connection to " + text + " failed: " + tried.failure;
    if (!direct.failure.empty() && !direct.is_refused)
        return note(
            "nat64", "probe-nat64-unproved",
            failure + "; so did one to " + v4.to_string() + " over IPv4: " + direct.failure,
            "server or uplink may be at fault: nothing follows for the NAT64",
            "give a name whose server answers on that port: --probe-nat64 NAME, --probe-port "
            "PORT");
    out_.nat64 = Seen::dead;
    fail("nat64", "probe-nat64", failure + "; over IPv4 " + v4.to_string() + " answers",
         "IPv6-only clients do not reach IPv4-only servers; with DHCP option 108 they have nothing "
         "else",
         "check the translator (Tayga, Jool), the route of the prefix to it, and NAT of its pool");
}

}  // namespace

ProbeResult probe(routeros::Client& client, const RouterFacts& router, const Expected& expected,
                  const ProbeOptions& options) {
    return Prober(client, router, expected, options).run();
}

}  // namespace steer::doctor
