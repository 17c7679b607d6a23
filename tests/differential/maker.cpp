#include "differential/maker.h"

#include <array>
#include <string_view>

#include "support/random.h"

namespace steer::differential {
namespace {

using test::Random;

constexpr std::array kNames{"a.example",     "x.a.example", "y.a.example",
                            "b.example",     "w.b.example", "c.example",
                            "xx.c.example",  "A.x.example", "A.b.eXample",
                            "q.x.a.example", "b",           "17.2.0.192.in-addr.arpa"};
constexpr std::array kRules{"domain:a.example",    "domain:b.example",  "b.example.",
                            "x.a.example",         "full:b.example",    "full:X.A.example",
                            "keyword:x.",          "keyword:c.ex",      "domain:example",
                            "domain:in-addr.arpa", "regexp:^[ab]\\.ex", "regexp:^x{1,2}\\.",
                            "full:cdn.b.example",  "far.net",           "regexp:example\\.a",
                            "domain:zz.example"};
constexpr std::array kPrefixes{"192.0.2.0/28",    "192.0.2.17",    "203.0.113.0/25",
                               "203.0.113.200/1", "198.18.0.0/15", "2001:db8::/126",
                               "2001:db8:1::/48", "0.0.0.0/0",     "::/0"};
constexpr std::array kClients{"192.0.2.10", "192.0.2.17", "192.0.2.200", "2001:db8:1::9"};
// WORDS alone has patterns.
constexpr std::array kSites{"cn", "CN@ads", "Geo", "geo@!cn"};
constexpr std::array kPlaces{"cn", "NEAR", "far"};
constexpr std::array kAdguard{"||a.example^",
                              "||b.example^",
                              "||example^$denyallow=a.example|w.b.example",
                              "||c.example^$important",
                              "@@||x.a.example^",
                              "@@||b.example^$important",
                              "@@w.b.example",
                              "b.example",
                              "||a.example^$dnstype=AAAA",
                              "||b.example^$dnstype=~A,important",
                              "@@||x.a.example^$dnstype=A|TXT",
                              "||a.example^$badfilter",
                              "b.example$badfilter",
                              "||example^$denyallow=x.a.example,dnstype=~TXT",
                              "|x.a",
                              "b.example|",
                              "a*.example",
                              "|*.a.example^$important",
                              "/^[ab]\\.ex/",
                              "@@/^q/$important"};
constexpr std::array kUpstreams{"198.51.100.1", "198.51.100.2", "198.51.100.3"};

class Maker {
  public:
    explicit Maker(std::uint32_t seed) : random_(seed) {}

    Case make() {
        providers();
        executors();
        const unsigned sequences = 1 + below(3);
        for (unsigned i = 0; i < sequences; ++i)
            case_.config.sequences.push_back({"seq" + std::to_string(i), {}});
        // Each uses later ones only: no circle.
        for (unsigned i = sequences; i-- > 0;) {
            auto& rules = case_.config.sequences[i].rules;
            for (unsigned n = 1 + below(i == 0 ? 7 : 4); n > 0; --n)
                rules.push_back(rule(i, sequences));
            if (i == 0 && !one_in(4)) add_usual(rules);
            if (i == 1 && one_in(2)) {
                case_.config.second_server = true;
                if (one_in(2)) add_usual(rules);
            }
        }
        // A fallback's own: nothing that leads to the fallback again.
        case_.config.sequences.push_back(
            {"unit",
             {"{ " + matches() + "exec: $cache" + number(2) + " }",
              "{ " + matches() + "exec: $list" + number(2) + " }",
              "{ " + matches() + "exec: mark " + number(4) + " }",
              "{ " + matches() + "exec: " +
                  (one_in(12) ? std::string("drop")
                              : any(std::array{"accept", "return", "reject"})) +
                  " }",
              "{ " + matches() + "exec: $fwd" + number(2) + " }"}});
        questions();
        return std::move(case_);
    }

  private:
    unsigned below(unsigned n) { return random_.below(n); }
    bool one_in(unsigned n) { return below(n) == 0; }
    template <class Values>
    std::string any(const Values& values) {
        return values[below(static_cast<unsigned>(values.size()))];
    }
    std::string number(unsigned n) { return std::to_string(below(n)); }
    // Cheap rules mostly: patterns take long to compile.
    std::string name_rule() {
        std::string rule = any(kRules);
        if (patterns_ || (!rule.starts_with("keyword:") && !rule.starts_with("regexp:")))
            return rule;
        return "domain:y.a.example";
    }
    static std::string quoted(const std::string& text) { return "'" + text + "'"; }
    std::string listed(const std::vector<std::string>& items) {
        std::string out = "[";
        for (const std::string& item : items)
            out += (out.size() > 1 ? ", " : "") + quoted(item);
        return out + "]";
    }
    template <class F>
    std::vector<std::string> some(unsigned most, F&& make_one) {
        std::vector<std::string> out;
        for (unsigned n = 1 + below(most); n > 0; --n)
            out.push_back(make_one());
        return out;
    }
    void plugin(const std::string& tag, const std::string& type, const std::string& args) {
        case_.config.plugins.push_back("{ tag: " + tag + ", type: " + type +
                                       (args.empty() ? "" : ", args: " + args) + " }");
    }

    void providers() {
        patterns_ = one_in(4);
        plugin("set0", "domain_set",
               "{ exps: " + listed(some(3, [&] { return name_rule(); })) + " }");
        plugin("set1", "domain_set",
               "{ exps: " + listed(some(2, [&] { return name_rule(); })) +
                   (one_in(3)   ? ", sets: [set0]"
                    : one_in(6) ? ", sets: [geo0, set0]"
                                : "") +
                   " }");
        plugin("ips0", "ip_set",
               "{ ips: " + listed(some(3, [&] { return any(kPrefixes); })) + " }");
        plugin("ips1", "ip_set",
               "{ ips: " + listed(some(2, [&] { return any(kPrefixes); })) +
                   (one_in(3)   ? ", sets: [ips0]"
                    : one_in(6) ? ", sets: [near0]"
                                : "") +
                   " }");
        plugin("geo0", "geosite", "{ file: geosite.dat" + selectors(kSites) + " }");
        plugin("near0", "geoip", "{ file: geoip.dat" + selectors(kPlaces) + " }");
        plugin("ads0", "adguard_rule",
               "{ rules: " + listed(some(5, [&] { return adguard_rule(); })) + " }");
        plugin(
            "clock0", "time",
            "{ timezone: UTC, periods: [" + period() + (one_in(3) ? ", " + period() : "") + "] }");
        plugin("match0", "qname", listed({name_rule(), "$set" + number(2)}));
        plugin("match1", "any_match", listed({matcher(), one_in(3) ? "!" + matcher() : matcher()}));
    }

    std::string period() {
        return any(std::array{"{ start: '00:00', end: '00:01' }",
                              "{ start: '00:01', end: '00:00' }",
                              "{ start: '23:00', end: '00:30', weekdays: [wed] }",
                              "{ start: '23:00', end: '00:30', weekdays: [thu] }",
                              "{ start: '23:00', end: '00:30', monthdays: [31] }",
                              "{ weekdays: [4], monthdays: [1, 15] }", "{ monthdays: [31] }",
                              "{ start: '00:00', end: '12:00', weekdays: [mon, 4, sun] }"});
    }
    template <class Values>
    std::string selectors(const Values& values) {
        if (patterns_ && one_in(4)) return "";
        return ", selectors: " + listed(some(2, [&] { return any(values); }));
    }
    std::string adguard_rule() {
        const std::string rule = any(kAdguard);
        const bool is_pattern = rule.find_first_of("*/") != std::string::npos ||
                                (rule.find('|') != std::string::npos && !rule.starts_with("||") &&
                                 !rule.starts_with("@@||"));
        return is_pattern && !patterns_ ? "||b.example^" : rule;
    }

    void executors() {
        for (unsigned i = 0; i < 2; ++i) {
            std::string args = "{ upstreams: [{ addr: " + any(kUpstreams) + " }]";
            if (one_in(3)) args += ", short_circuit: true";
            plugin("fwd" + std::to_string(i), "forward", args + " }");
            plugin("cache" + std::to_string(i), "cache", cache_args());
            args = "{ address: '192.0.2.1:8728', username: u, password: p";
            const unsigned families = below(4);
            if (families != 1) args += ", address_list4: v4";
            if (families != 2) args += ", address_list6: v6";
            if (one_in(4)) args += ", missing_family: nodata";
            plugin("list" + std::to_string(i), "ros_address_list", args + " }");
        }
        for (unsigned i = 0; i < 2; ++i) {
            const unsigned families = below(4);
            const std::string set = ": { table_family: inet, table_name: t, set_name: s } ";
            plugin("kernel" + std::to_string(i), "nftset",
                   "{ max_ttl: 1h" + (families != 1 ? ", ipv4" + set : "") +
                       (families != 2 ? ", ipv6" + set : "") + "}");
        }
        plugin("names", "hosts",
               "{ entries: ['a.example 192.0.2.77 2001:db8::77', 'domain:b.example 203.0.113.5', "
               "'full:w.b.example 2001:db8::5']" +
                   short_circuit(3) + " }");
        plugin("zone", "arbitrary",
               "{ rules: ['a.example. 30 IN TXT here', 'c.example. A 192.0.2.78', "
               "'c.example. 7 IN A 203.0.113.6', 'x.a.example. 50 CNAME a.example.']" +
                   short_circuit(3) + " }");
        for (unsigned i = 0; i < 2; ++i)
            plugin("names" + std::to_string(i), "redirect",
                   "{ rules: " + listed(some(4, [&] { return redirect_rule(); })) + " }");
        plugin("hole", "black_hole", "{ ips: [203.0.113.99]" + short_circuit(3) + " }");
        plugin("spare", "fallback",
               "{ primary: " + any(std::array{"fwd0", "unit"}) +
                   ", secondary: " + any(std::array{"fwd1", "hole", "names"}) +
                   (one_in(3) ? ", always_standby: true" : "") +
                   (one_in(6) ? ", fallback_on_error: false" : "") +
                   (one_in(6) ? ", fallback_on_no_response: false" : "") + short_circuit(3) + " }");
        plugin("prefer", any(std::array{"prefer_ipv4", "prefer_ipv6"}),
               any(std::array{"{ cache: false }", "{ cache_ttl: 20 }", "",
                              "{ probe_executor: fwd1, cache: false }",
                              "{ probe_executor: unit, cache_ttl: 20 }"}));
        plugin("again", "reload", "");
        plugin("fresh", "reload_provider", "[$set0]");
        plugin("dump", "debug_print", "{ msg: dumped }");
        plugin("summary", "query_summary", "{ msg: in short }");
    }
    std::string redirect_rule() {
        return name_rule() + " " +
               any(std::array{"a.example", "A.Example.", "w.b.example", "c.example", "zz.example"});
    }
    std::string short_circuit(unsigned n) { return one_in(n) ? ", short_circuit: true" : ""; }
    // What makes an answer, or changes it, without asking anybody.
    std::string known() {
        switch (below(8)) {
            case 0:
                return "drop_resp";
            case 1:
                return any(std::array{"ttl 40", "ttl 10-100", "ttl 50-0", "ttl 0-20"});
            case 2:
                return "$hole";
            case 3:
                return "black_hole " +
                       any(std::array{"", "nodata", "null", "refused", "servfail", "2001:db8::98"});
            case 4:
                return "$names";
            case 5:
                return "$zone";
            case 6:
                return "sleep 20";
            default:
                return "$spare";
        }
    }
    std::string cache_args() {
        std::string args = "{ size: 1000";
        if (one_in(3)) args += ", short_circuit: true";
        if (one_in(6)) args += ", cache_negative: false";
        if (one_in(6)) args += ", min_positive_ttl: " + std::to_string(1 + below(50));
        if (one_in(6)) args += ", cache_min_ttl: " + std::to_string(1 + below(50));
        if (one_in(6)) args += ", max_positive_ttl: " + std::to_string(60 + below(100));
        if (one_in(6)) args += ", max_negative_ttl: " + std::to_string(1 + below(30));
        if (one_in(6)) args += ", negative_ttl_without_soa: " + number(9);
        if (one_in(6)) args += ", failure_ttl: " + number(9);
        return args + " }";
    }

    std::string numbers(std::string_view type) {
        if (type == "qtype") return any(std::array{"1", "A,AAAA", "28 txt", "aaaa", "16,5 HTTPS"});
        if (type == "qclass") return any(std::array{"1", "CH", "in 4"});
        return any(std::array{"0", "NXDOMAIN", "2,5", "noerror 3", "SERVFAIL"});
    }
    // Names are patterns, except for `eq`.
    std::string text_matcher() {
        constexpr std::array kTexts{
            "qname eq A.example,x.a.example. q.X.a.example",
            "qname eq B",
            "qtype eq 1,28",
            "qtype prefix 1",
            "qtype regexp ^.$ 65",
            "qclass suffix 3",
            "rcode eq 0 3",
            "rcode regexp ^$ 5",
            "rcode zl",
            "client_ip eq 192.0.2.17,2001:db8:1::9",
            "client_ip prefix 192.0.2.1",
            "client_ip suffix 0",
            "client_ip contains 2001: .20",
            "client_ip regexp [.][12]0+$",
            "resp_ip zl",
            "resp_ip eq 203.0.113.1 192.0.2.78,203.0.113.6",
            "resp_ip prefix 203.0.113.1 2001:",
            "resp_ip contains ,198",
            "resp_ip suffix .9",
            "resp_ip regexp ^$ ,.*9$",
            "mark zl",
            "mark eq 1,2 3",
            "mark contains 0, 2",
            "mark regexp ^[02](,3)?$",
            "$NAIVE_KEY suffix ue,x ue",
            "$NAIVE_NONE zl",
            "url_path zl",
            "url_path eq /a,b /dns",
            "url_path regexp ,",
            "server_name regexp .",
            "server_name suffix .DNS.example",
            "server_name eq x,dns.Example",
        };
        constexpr std::array kPatterns{"qname prefix X. w", "qname suffix .b.example EXAMPLE.",
                                       "qname contains .A. c.ex",
                                       "qname regexp ^[ab]\\. ^x{1,2}\\.", "qname zl"};
        return "string_exp " + (patterns_ && one_in(4) ? any(kPatterns) : any(kTexts));
    }
    std::string matcher() {
        switch (below(20)) {
            case 16:
                return text_matcher();
            case 17:
                return "question " + any(std::array{"$ads0", "$ads0,$set1", "$geo0 B.example"});
            case 18:
                return "qname " + any(std::array{"$ads0", "$geo0", "$ads0 $geo0"});
            case 19:
                return any(std::array{"client_ip $near0", "resp_ip $near0,198.18.7.0/29"});
            case 0:
            case 1:
                return "qname " + name_rule() + (one_in(2) ? " $set" + number(2) : "");
            case 2:
                return "qname $set" + number(2);
            case 3:
                return "has_resp";
            case 4:
                return "client_ip " + any(kPrefixes) + (one_in(3) ? ",$ips" + number(2) : "");
            case 5:
                return "resp_ip " + any(kPrefixes) + (one_in(3) ? " $ips" + number(2) : "");
            case 6:
                return "ptr_ip " + any(kPrefixes);
            case 7:
                return "qtype " + numbers("qtype");
            case 8:
                return (one_in(3) ? "qclass " + numbers("qclass") : "rcode " + numbers("rcode"));
            case 9:
                return "cname " + (one_in(2) ? "$set" + number(2) + "," : "") + name_rule();
            case 10:
                return "mark " + number(4) + (one_in(2) ? "," + number(4) : "");
            case 11:
                return any(std::array{
                    "env NAIVE_KEY", "env NAIVE_KEY=value", "env NAIVE_KEY value", "env NAIVE_NONE",
                    "env NAIVE_KEY other", "env NAIVE_KEY:value",
                    "env NAIVE_KEY=", "env NAIVE_KEY:", "env NAIVE_KEY:other",
                    "env NAIVE_KEY= NAIVE_KEY:value NAIVE_KEY", "env NAIVE_KEY:,NAIVE_NONE:"});
            case 12:
                return "has_wanted_ans";
            case 13:
                return any(
                    std::array{"_true", "_false", "random 0", "random 1", "$clock0", "$clock0"});
            case 14:
                return "mark " + number(4);
            default:
                return "$match0";
        }
    }
    std::string matches() {
        if (one_in(3)) return "";
        auto all = some(2, [&] {
            const std::string negation = one_in(4) ? (one_in(2) ? "!" : "! ") : "";
            return negation + (one_in(8) ? "$match1" : matcher());
        });
        return "matches: " + (all.size() == 1 && one_in(2) ? quoted(all[0]) : listed(all)) + ", ";
    }
    // What most configurations have: a cache, lists, and an upstream at the end.
    void add_usual(std::vector<std::string>& rules) {
        const auto at = [&] { return rules.begin() + below(static_cast<unsigned>(rules.size())); };
        for (unsigned lists = below(3); lists > 0; --lists)
            rules.insert(at(), "{ " + matches() + "exec: $list" + number(2) + " }");
        if (one_in(4)) rules.insert(at(), "{ " + matches() + "exec: $kernel" + number(2) + " }");
        const auto cache = rules.insert(at(), "{ exec: $cache" + number(2) + " }");
        if (one_in(2)) rules.insert(cache + 1, "{ matches: has_resp, exec: accept }");
        rules.push_back("{ exec: $fwd" + number(2) + " }");
        if (one_in(4)) rules.push_back("{ " + matches() + "exec: $kernel" + number(2) + " }");
    }
    std::string rule(unsigned sequence, unsigned sequences) {
        return "{ " + matches() + "exec: " + quoted(exec(sequence, sequences)) + " }";
    }
    std::string exec(unsigned sequence, unsigned sequences) {
        switch (below(16)) {
            case 0:
            case 1:
            case 2:
                return "$fwd" + number(2);
            case 3:
            case 4:
                return "$cache" + number(2);
            case 5:
                return (one_in(3) ? "$kernel" : "$list") + number(2);
            case 6:
                if (one_in(4)) return one_in(4) ? "prefer_ipv6" : "$prefer";
                return one_in(2) ? "$list" + number(2) : "$names" + number(2);
            case 7:
                return "$summary";
            case 8:
                if (!one_in(3)) return known();
                if (one_in(3)) return one_in(2) ? "$again" : "$fresh";
                return one_in(2) ? "$dump" : "debug_print probe " + number(3);
            case 9:
            case 10:
                return "mark " + number(4) + (one_in(3) ? ", " + number(4) : "");
            case 11:
                if (one_in(20)) return "drop";
                return one_in(2) ? "accept" : "return";
            case 12:
                return any(std::array{"reject", "reject NXDOMAIN", "reject 0", "reject 5"});
            case 13:
                return "forward " + any(kUpstreams) + (one_in(3) ? " short_circuit" : "");
            default:
                if (sequence + 1 >= sequences) return "$fwd" + number(2);
                return any(std::array{"$", "$", "jump ", "jump ", "goto "}) + "seq" +
                       std::to_string(sequence + 1 + below(sequences - sequence - 1));
        }
    }

    void questions() {
        constexpr std::array<std::uint16_t, 6> kTypes{kA, kA, kA, kAaaa, kAaaa, kTxt};
        const std::string often = any(kNames);
        for (unsigned n = 0; n < 12; ++n) {
            Question q;
            q.after_ms = one_in(6) ? below(90'000) : below(4000);
            q.name = one_in(3) ? any(kNames) : often;
            q.type = kTypes[below(one_in(2) ? static_cast<unsigned>(kTypes.size()) : 1)];
            q.klass = one_in(24) ? 3 : 1;
            q.dnssec_ok = one_in(24);
            q.checking_disabled = one_in(24);
            q.client = any(kClients);
            q.local = case_.config.second_server && one_in(2) ? kSecondAddress : "198.51.100.53";
            if (one_in(8)) q.server_name = any(std::array{"dns.example", "a.dns.example"});
            if (one_in(8)) q.url_path = any(std::array{"/dns-query", "/a,b"});
            case_.questions.push_back(std::move(q));
        }
    }

    Random random_;
    Case case_;
    bool patterns_ = false;
};

}  // namespace

Case make_case(std::uint32_t seed) {
    return Maker(seed).make();
}

}  // namespace steer::differential
