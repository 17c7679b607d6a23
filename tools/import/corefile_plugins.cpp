// Converts CoreDNS's plugins forward, cache and dns64.
#include <algorithm>
#include <array>

#include "tools/import/corefile_import.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace {

constexpr std::uint64_t kMaxNumber = 1'000'000'000;
constexpr std::uint64_t kMaxQueries = 1'000'000;

std::string text_of(const Directive& d) {
    return d.args.empty() ? d.name : d.name + " " + join(d.args, " ");
}

Note left_out(const Directive& d, const std::string& why) {
    return {line_place(d.line), in_quotes(text_of(d)) + " is not imported: " + why};
}

// ---- forward

struct Scheme {
    std::string_view foreign, ours;
};
constexpr std::array<Scheme, 3> kSchemes{{{"dns://", ""}, {"tls://", "tls://"}, {"udp://", ""}}};

// Host and port of "192.0.2.1", "192.0.2.1:53", "[2001:db8::1]:53", "2001:db8::1".
std::pair<std::string, std::string> host_and_port(std::string_view text) {
    if (is_v6(text)) return {std::string(text), ""};
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return {};
        const auto port = text.substr(end + 1);
        return {std::string(text.substr(1, end - 1)),
                std::string(port.starts_with(':') ? port.substr(1) : port)};
    }
    const auto colon = text.find(':');
    return {std::string(text.substr(0, colon)),
            colon == std::string_view::npos ? "" : std::string(text.substr(colon + 1))};
}

struct ForwardOptions {
    std::string tls_name, idle;
    bool force_tcp = false;
};

void add_target(const Directive& d, const std::string& target, const ForwardOptions& options,
                Forward& out) {
    std::string_view rest = target;
    std::string scheme;
    for (const Scheme& known : kSchemes) {
        if (!lowered(target).starts_with(known.foreign)) continue;
        scheme = known.ours;
        rest.remove_prefix(known.foreign.size());
        break;
    }
    const auto [host, port] = host_and_port(rest);
    const bool good_port = port.empty() || parse_number(port, 65'535).value_or(0) > 0;
    if (!can_be_asked(host) || !good_port) {
        out.notes.push_back({line_place(d.line), "the upstream " + in_quotes(target) +
                                                     " is not imported: expected an address, or "
                                                     "tls:// and an address"});
        return;
    }
    Upstream upstream;
    upstream.idle_timeout = options.idle;
    const std::string where = port.empty() ? host : with_port(host, *parse_number(port, 65'535));
    const std::string in_url = port.empty() && is_v6(host) ? "[" + host + "]" : where;
    if (!scheme.empty() && !options.tls_name.empty()) {
        upstream.addr = scheme + options.tls_name;
        upstream.dial_addr = where;
    } else if (!scheme.empty()) {
        upstream.addr = scheme + in_url;
        upstream.notes.push_back({line_place(d.line), "the certificate of " + host +
                                                          " must be valid for this address; write "
                                                          "tls_servername if it is for a name"});
    } else {
        upstream.addr = options.force_tcp ? "tcp://" + in_url : where;
        if (!options.force_tcp) upstream.idle_timeout.clear();
    }
    out.upstreams.push_back(std::move(upstream));
}

void read_option(const Directive& d, ForwardOptions& options, CoreForward& out) {
    const auto note = [&](const std::string& why) {
        out.forward.notes.push_back(left_out(d, why));
    };
    const std::string first = d.args.empty() ? "" : d.args.front();
    if (d.name == "except") {
        for (const std::string& name : d.args) {
            if (const std::string why = name_error(name); why.empty())
                out.except.push_back(plain_name(name));
            else
                note("the name " + in_quotes(name) + " " + why);
        }
    } else if (d.name == "force_tcp") {
        options.force_tcp = true;
    } else if (d.name == "tls_servername") {
        options.tls_name = first;
    } else if (d.name == "expire") {
        const auto ms = parse_go_time(first);
        if (!ms) return note("expected a time such as 10s");
        options.idle = duration_text(std::clamp<std::uint64_t>(*ms, 1000, 3'600'000));
    } else if (d.name == "policy") {
        constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kPolicies{
            {{"random", "random"}, {"round_robin", "round_robin"}, {"sequential", "order"}}};
        const auto* const known =
            std::ranges::find(kPolicies, first, [](const auto& p) { return p.first; });
        if (known == kPolicies.end()) return note("expected random, round_robin or sequential");
        out.forward.policy = known->second;
    } else if (d.name == "max_concurrent") {
        const auto number = parse_number(first, kMaxQueries);
        if (!number) return note("expected 0.." + std::to_string(kMaxQueries));
        if (*number > 0) out.forward.max_queries = first;
    } else if (d.name == "tls") {
        if (!d.args.empty())
            note(
                "copy the CA's file to this machine, and write it as 'ca' of the upstream; client "
                "certificates are not supported");
    } else if (d.name == "health_check" || d.name == "max_fails" ||
               d.name == "failfast_all_unhealthy" || d.name == "max_connect_attempts") {
        note("unresponsive upstreams are used last until they answer again");
    } else if (d.name == "prefer_udp") {
        // the default: TCP only after a truncated answer
    } else {
        note("this setting is not supported");
    }
}

// ---- cache

// "success CAPACITY [TTL] [MINTTL]"
struct Kept {
    std::uint64_t capacity = 9984, ttl_s = 0, least_s = 0;
};

bool read_kept(const Directive& d, Kept& kept) {
    const std::array<std::uint64_t*, 3> places{&kept.capacity, &kept.ttl_s, &kept.least_s};
    if (d.args.size() > places.size()) return false;
    for (std::size_t i = 0; i < d.args.size(); ++i) {
        const auto number = parse_number(d.args[i], kMaxNumber);
        if (!number) return false;
        *places.at(i) = *number;
    }
    return true;
}

class CacheWriter {
  public:
    explicit CacheWriter(Sheet& sheet) : sheet_(sheet) {}

    void write(const Directive& cache) {
        success_.ttl_s = 3600;
        success_.least_s = 5;
        denial_.ttl_s = 1800;
        std::size_t zones = 0;
        if (!cache.args.empty()) {
            const auto ttl = parse_number(cache.args.front(), kMaxNumber);
            if (ttl) success_.ttl_s = denial_.ttl_s = *ttl;
            zones = cache.args.size() - (ttl ? 1 : 0);
        }
        if (zones > 0)
            sheet_.note(
                line_place(cache.line),
                in_quotes(text_of(cache)) +
                    " caches only these zones; here the cache holds all zones of the block");
        for (const Directive& d : cache.body)
            option(d);
        constexpr std::uint64_t kWeek = 604'800, kDay = 86'400, kMaxEntries = 100'000'000;
        const auto key = [this](std::string_view name, std::uint64_t seconds) {
            sheet_.key(name, duration_text(seconds * 1000));
        };
        sheet_.key("size", std::to_string(std::clamp<std::uint64_t>(
                               success_.capacity + denial_.capacity, 1, kMaxEntries)));
        const std::uint64_t most = std::clamp<std::uint64_t>(success_.ttl_s, 1, kWeek);
        key("max_positive_ttl", most);
        key("cache_min_ttl", std::min({success_.least_s, most, kDay}));
        if (is_negative_) {
            key("max_negative_ttl", std::clamp<std::uint64_t>(denial_.ttl_s, 1, kDay));
        } else {
            sheet_.line("cache_negative: false");
        }
        for (const auto& [name, text] : more_)
            sheet_.key(name, text);
        sheet_.line("short_circuit: true");
    }

  private:
    void note(const Directive& d, const std::string& why) { sheet_.notes({left_out(d, why)}); }

    void option(const Directive& d) {
        const std::string first = d.args.empty() ? "" : d.args.front();
        if (d.name == "success" || d.name == "denial") {
            if (!read_kept(d, d.name == "success" ? success_ : denial_))
                note(d, "expected CAPACITY TTL MINTTL");
            else if (d.name == "denial" && denial_.least_s > 0 && d.args.size() > 2)
                note(d,
                     "MINTTL of negative answers is not supported; CAPACITY and TTL are imported");
        } else if (d.name == "prefetch") {
            prefetch(d);
        } else if (d.name == "serve_stale") {
            stale(d);
        } else if (d.name == "servfail") {
            const auto ms = parse_go_time(first);
            if (!ms || *ms > 300'000) return note(d, "expected a time up to 5m");
            more_.emplace_back("failure_ttl", duration_text(*ms));
        } else if (d.name == "disable" && first == "denial" && d.args.size() == 1) {
            is_negative_ = false;
        } else {
            note(d, "this setting is not supported");
        }
    }

    // prefetch AMOUNT [DURATION [PERCENTAGE%]]
    void prefetch(const Directive& d) {
        const auto hits = d.args.empty() ? std::nullopt : parse_number(d.args[0], kMaxNumber);
        if (!hits) return note(d, "expected AMOUNT DURATION PERCENTAGE%");
        if (*hits == 0) return;
        std::uint64_t percent = 10;
        if (d.args.size() > 2) {
            std::string_view text = d.args[2];
            if (text.ends_with('%')) text.remove_suffix(1);
            percent = parse_number(text, 100).value_or(percent);
        }
        more_.emplace_back("prefetch",
                           std::to_string(std::clamp<std::uint64_t>(percent, 1, 50)) + "%");
        more_.emplace_back("prefetch_hits",
                           std::to_string(std::clamp<std::uint64_t>(*hits, 1, 250)));
        if (d.args.size() > 1)
            sheet_.note(line_place(d.line),
                        "the duration of " + in_quotes(text_of(d)) +
                            " is not imported: hits are counted while the answer is cached");
    }

    // serve_stale [DURATION [immediate|verify]]
    void stale(const Directive& d) {
        constexpr std::uint64_t kWeekMs = 604'800'000;
        const auto ms =
            d.args.empty() ? std::optional<std::uint64_t>(3'600'000) : parse_go_time(d.args[0]);
        if (!ms || *ms == 0) return note(d, "expected a time");
        const bool is_verified = d.args.size() > 1 && d.args[1] == "verify";
        more_.emplace_back(is_verified ? "serve_stale" : "lazy_cache_ttl",
                           duration_text(std::clamp<std::uint64_t>(*ms, 1000, kWeekMs)));
    }

    Sheet& sheet_;
    Kept success_, denial_;
    bool is_negative_ = true;
    std::vector<std::pair<std::string, std::string>> more_;
};

// ---- dns64

// As in RFC 6052 2.2, without host bits.
bool is_pref64(const std::string& text) {
    const auto slash = text.find('/');
    if (slash == std::string::npos) return false;
    const std::string address = text.substr(0, slash);
    const auto length = parse_number(text.substr(slash + 1), 128).value_or(0);
    constexpr std::array<std::uint64_t, 6> kLengths{32, 40, 48, 56, 64, 96};
    return is_v6(address) && std::ranges::find(kLengths, length) != kLengths.end() &&
           is_zero_behind(address, static_cast<unsigned>(length));
}

}  // namespace

void write_core_cache(Sheet& sheet, const Directive& cache) {
    CacheWriter(sheet).write(cache);
}

void write_core_dns64(Sheet& sheet, const Directive& dns64) {
    std::string prefix;
    bool translate_all = false, allow_ipv4 = false;
    // One prefix at most: the first, as an argument or in the block.
    const auto take_prefix = [&](const Directive& d) {
        if (d.args.empty()) {
            sheet.notes({left_out(d, "expected a prefix")});
            return;
        }
        for (const std::string& word : d.args) {
            if (prefix.empty()) {
                prefix = word;
            } else {
                sheet.note(line_place(d.line),
                           "the prefix " + in_quotes(word) +
                               " of dns64 is not imported: only one is supported, " +
                               in_quotes(prefix));
            }
        }
    };
    const auto take_switch = [&](const Directive& d, bool& value) {
        if (value) sheet.notes({left_out(d, "it appears twice")});
        if (!value && !d.args.empty())
            sheet.note(line_place(d.line), in_quotes(join(d.args, " ")) + " after " + d.name +
                                               " is not imported: it takes no arguments");
        value = true;
    };
    if (!dns64.args.empty()) take_prefix(dns64);
    for (const Directive& d : dns64.body) {
        if (d.name == "prefix") {
            take_prefix(d);
        } else if (d.name == "translate_all") {
            take_switch(d, translate_all);
        } else if (d.name == "allow_ipv4") {
            take_switch(d, allow_ipv4);
        } else {
            sheet.notes({left_out(d, "this setting is not supported")});
        }
    }
    if (!prefix.empty() && !is_pref64(prefix)) {
        sheet.note(line_place(dns64.line),
                   "the prefix " + in_quotes(prefix) +
                       " is not imported: it is not a NAT64 prefix (RFC 6052 "
                       "2.2); 64:ff9b::/96 is used");
        prefix.clear();
    }
    sheet.key("prefix", prefix.empty() ? "64:ff9b::/96" : prefix);
    if (translate_all) {
        sheet.note(line_place(dns64.line),
                   "translate_all: a name without A records keeps its AAAA records; "
                   "CoreDNS removes them");
        sheet.line("translate_all: true");
    }
    if (allow_ipv4) sheet.line("allow_ipv4: true");
}

CoreForward read_core_forward(const Directive& directive, const std::string& tag) {
    CoreForward out;
    out.forward.tag = tag;
    out.forward.policy = "random";  // CoreDNS's default
    if (directive.args.empty()) {
        out.forward.notes.push_back(left_out(directive, "expected FROM TO..."));
        return out;
    }
    out.from = plain_name(directive.args.front());
    ForwardOptions options;
    for (const Directive& d : directive.body)
        read_option(d, options, out);
    if (!options.tls_name.empty() && !is_host_name(options.tls_name)) options.tls_name.clear();
    for (std::size_t i = 1; i < directive.args.size(); ++i) {
        const std::string& target = directive.args[i];
        if (!target.starts_with('/')) {
            add_target(directive, target, options, out.forward);
        } else if (out.forward.resolv_file.empty()) {
            out.forward.resolv_file = target;
        }
    }
    if (!out.forward.upstreams.empty() && !out.forward.resolv_file.empty()) {
        out.forward.notes.push_back(
            {line_place(directive.line), "the servers of " + in_quotes(out.forward.resolv_file) +
                                             " are not imported: the forward names other servers"});
        out.forward.resolv_file.clear();
    }
    return out;
}

std::optional<std::uint64_t> parse_go_time(std::string_view text) {
    constexpr std::array<TimeUnit, 4> kUnits{
        {{"ms", 1}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}}};
    return parse_time(text, kUnits);
}

}  // namespace steer::importing
