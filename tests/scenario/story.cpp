#include "scenario/story.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "dataplane/dns/wire.h"
#include "scenario/world.h"
#include "support/temp_folder.h"

namespace steer::test {
namespace {

using Words = std::vector<std::string>;

[[noreturn]] void fail(const std::string& text) {
    throw std::runtime_error(text);
}

std::uint64_t number(const std::string& text) {
    std::uint64_t v = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
    if (error != std::errc{} || end != text.data() + text.size())
        fail("'" + text + "' is not a number");
    return v;
}

Ms duration(const std::string& text) {
    Ms total = 0;
    std::size_t at = 0;
    while (at < text.size()) {
        std::size_t digits = at;
        while (digits < text.size() && std::isdigit(static_cast<unsigned char>(text[digits])) != 0)
            ++digits;
        std::size_t unit = digits;
        while (unit < text.size() && std::isalpha(static_cast<unsigned char>(text[unit])) != 0)
            ++unit;
        const std::string name = text.substr(digits, unit - digits);
        const Ms factor = name == "ms"  ? 1
                          : name == "s" ? 1000
                          : name == "m" ? 60'000
                          : name == "h" ? 3'600'000
                                        : 0;
        if (factor == 0 || digits == at)
            fail("'" + text + "' is not a time: write 5ms, 30s, 1m30s or 2h");
        total += number(text.substr(at, digits - at)) * factor;
        at = unit;
    }
    return total;
}

// 2026-03-29 and 00:59:30, in UTC.
std::chrono::sys_seconds moment(const std::string& date, const std::string& time) {
    if (date.size() != 10 || time.size() != 8) fail("write a moment as in 2026-03-29 00:59:30");
    using namespace std::chrono;
    const year_month_day day{year{static_cast<int>(number(date.substr(0, 4)))},
                             month{static_cast<unsigned>(number(date.substr(5, 2)))},
                             std::chrono::day{static_cast<unsigned>(number(date.substr(8, 2)))}};
    return sys_days{day} + hours(number(time.substr(0, 2))) + minutes(number(time.substr(3, 2))) +
           seconds(number(time.substr(6, 2)));
}

// "5" or "5..9".
std::pair<std::uint64_t, std::uint64_t> range(const std::string& text) {
    const auto dots = text.find("..");
    if (dots == std::string::npos) return {number(text), number(text)};
    return {number(text.substr(0, dots)), number(text.substr(dots + 2))};
}

std::uint16_t type_of(const std::string& text) {
    if (text == "A") return dns::kA;
    if (text == "AAAA") return dns::kAaaa;
    if (text == "CNAME") return dns::kCname;
    if (text == "TXT") return dns::kTxt;
    if (text == "PTR") return dns::kPtr;
    if (text == "HTTPS") return dns::kHttps;
    if (text == "SRV") return dns::kSrv;
    if (text == "MX") return dns::kMx;
    if (text == "SVCB") return dns::kSvcb;
    if (text == "DNAME") return dns::kDname;
    if (text == "SOA") return dns::kSoa;
    if (text == "NS") return dns::kNs;
    if (text == "DS") return dns::kDs;
    if (text == "HINFO") return dns::kHinfo;
    if (text == "ANY") return dns::kAny;
    fail("no record type '" + text + "' in stories");
}

std::optional<unsigned> rcode_of(const std::string& text) {
    if (text == "noerror") return 0;
    if (text == "formerr") return 1;
    if (text == "servfail") return 2;
    if (text == "nxdomain") return 3;
    if (text == "notimp") return 4;
    if (text == "refused") return 5;
    if (text == "yxdomain") return 6;
    if (text == "badcookie") return 23;
    return std::nullopt;
}

std::string join(const Words& words, std::size_t from) {
    std::string s;
    for (std::size_t i = from; i < words.size(); ++i)
        s += (s.empty() ? "" : " ") + words[i];
    return s;
}

std::string text_of(const SeenAnswer& a) {
    std::string s = a.client + " " + a.name + " rcode " + std::to_string(a.rcode) + " at " +
                    std::to_string(a.at) + "ms:";
    for (const auto& r : a.records)
        s += " " + r.data + " ttl " + std::to_string(r.ttl_s);
    for (const auto& r : a.authority)
        s += " authority ttl " + std::to_string(r.ttl_s);
    for (const auto& r : a.additional)
        s += " additional " + r.data + " ttl " + std::to_string(r.ttl_s);
    return s;
}

// NAME TYPE DATA… [ttl N] [after D] from words[at].
Served served(const Words& words, std::size_t at) {
    Served s;
    std::string owner = words.at(at);
    const auto type = type_of(words.at(at + 1));
    std::uint32_t ttl = 300;
    for (std::size_t i = at + 2; i < words.size(); ++i) {
        if (words[i] == "ttl") {
            ttl = static_cast<std::uint32_t>(number(words.at(++i)));
        } else if (words[i] == "after") {
            s.after = duration(words.at(++i));
        } else if (words[i] == "soa") {
            const auto soa_ttl = static_cast<std::uint32_t>(number(words.at(++i)));
            s.soa = {soa_ttl, static_cast<std::uint32_t>(number(words.at(++i)))};
        } else if (words[i] == "ad") {
            s.authentic = true;
        } else if (words[i] == "scope") {
            s.scope = static_cast<unsigned>(number(words.at(++i)));
        } else if (words[i] == "option") {
            s.options += words.at(++i) + " ";
        } else if (words[i] == "cname") {
            s.records.push_back({owner, words.at(++i), dns::kCname, 0});
            owner = words[i];
        } else if (words[i] == "record") {
            s.records.push_back({words.at(i + 1), words.at(i + 3), type_of(words.at(i + 2)), 0});
            i += 3;
        } else if (words[i] == "additional") {
            s.additional.push_back({words.at(i + 1), words.at(i + 3), type_of(words.at(i + 2)), 0});
            i += 3;
        } else if (words[i] == "cookie") {
            s.cookie = words.at(++i);
        } else if (const auto rcode = rcode_of(words[i])) {
            s.rcode = *rcode & 15U;
            s.extended_rcode = *rcode >> 4;
        } else if (words[i] != "empty") {
            s.records.push_back({owner, words[i], type, 0});
        }
    }
    for (auto* const section : {&s.records, &s.additional}) {
        for (auto& r : *section)
            r.ttl_s = ttl;
    }
    return s;
}

class Player {
  public:
    Player(std::string file, std::string dns_log, std::string journal) : file_(std::move(file)) {
        options_.dns_log = std::move(dns_log);
        options_.journal = std::move(journal);
    }

    void play() {
        std::ifstream in(file_);
        if (!in) fail(file_ + " cannot be read");
        std::string line;
        int number = 0;
        while (std::getline(in, line)) {
            ++number;
            std::istringstream split(line.substr(0, line.find('#')));
            Words words;
            for (std::string word; split >> word;)
                words.push_back(word);
            if (words.empty()) continue;
            try {
                if (!head(words)) statement(words);
            } catch (const std::exception& error) {
                fail(file_ + ":" + std::to_string(number) + ": " + error.what());
            }
        }
        if (!world_) fail(file_ + ": the story says nothing");
        std::cout << file_ << ": " << expectations_ << " things seen as told\n";
        if (expectations_ == 0) fail(file_ + ": the story expects nothing");
    }

  private:
    World& world() {
        if (!world_) {
            if (options_.config.empty()) fail("the story has no `config` line");
            world_ = std::make_unique<World>(options_);
        }
        return *world_;
    }

    [[nodiscard]] std::string beside(const std::string& file) const {
        return (std::filesystem::path(file_).parent_path() / file).string();
    }

    bool head(const Words& w) {
        if (world_) return false;
        if (w[0] == "config") {
            options_.config = beside(w.at(1));
        } else if (w[0] == "workers") {
            options_.workers = static_cast<unsigned>(number(w.at(1)));
        } else if (w[0] == "wall") {
            options_.wall = moment(w.at(1), w.at(2));
        } else if (w[0] == "environment") {
            options_.environment[w.at(1)] = join(w, 2);
        } else if (w[0] == "router" && w.size() > 2 &&
                   (w[2] == "preset" || w[2] == "latency" || w[2] == "prefill" ||
                    w[2] == "version")) {
            RouterOptions& r = options_.routers[w[1]];
            for (std::size_t i = 2; i < w.size(); ++i) {
                if (w[i] == "preset")
                    r.preset = w.at(++i);
                else if (w[i] == "latency")
                    r.latency_us = static_cast<std::int64_t>(duration(w.at(++i)) * 1000);
                else if (w[i] == "version")
                    r.version = version(w.at(++i));
                else if (w[i] == "prefill") {
                    r.prefill.emplace_back(w.at(i + 1), number(w.at(i + 2)));
                    i += 2;
                } else
                    fail("a router has no '" + w[i] + "'");
            }
        } else {
            return false;
        }
        return true;
    }

    static rossim::Version version(const std::string& text) {
        const auto dot = text.find('.');
        return {static_cast<int>(number(text.substr(0, dot))),
                static_cast<int>(number(text.substr(dot + 1)))};
    }

    void statement(Words w) {
        if (w[0] == "at") {
            const std::string& t = w.at(1);
            const Ms target = t[0] == '+' ? world().elapsed() + duration(t.substr(1)) : duration(t);
            if (target < world().elapsed()) fail("time does not go back");
            world().advance_to(target);
            w.erase(w.begin(), w.begin() + 2);
            if (w.empty()) return;
        }
        world();
        for (std::string& word : w) {
            if (word.starts_with("label.")) word = test_name(word.substr(6));
        }
        if (w[0] == "client")
            client(w);
        else if (w[0] == "every")
            every(w);
        else if (w[0] == "upstream")
            upstream(w);
        else if (w[0] == "router")
            router(w);
        else if (w[0] == "power")
            power(w);
        else if (w[0] == "configuration")
            world().reload(beside(w.at(2)));
        else if (w[0] == "adlist")
            world().pause(w.at(1), w.at(2) == "resumes" ? 0 : duration(w.at(5)));
        else if (w[0] == "outcome")
            expect_count("outcome " + w.at(1), outcome(w.at(1)), w);
        else if (w[0] == "stat")
            expect_count("stat " + w.at(1), labelled(w.at(1), kStats), w);
        else if (w[0] == "verdict")
            expect_count("verdict " + w.at(1), labelled(w.at(1), kVerdicts), w);
        else if (w[0] == "end")
            expect_count("end " + w.at(1), labelled(w.at(1), kPendingOutcomes), w);
        else if (w[0] == "task")
            task(w);
        else if (w[0] == "log")
            log_says(join(w, 2));
        else if (w[0] == "sums")
            sums_hold();
        else
            fail("a story has no word '" + w[0] + "' (tests/scenario/story.h lists them)");
    }

    // The name of the last loop test; `parent`: below this name, or "label": below the root.
    std::string test_name(const std::string& parent) {
        const auto& tests = world().tests;
        const auto found = std::find_if(tests.rbegin(), tests.rend(), [&](const auto& name) {
            const auto dot = name.find('.');
            return name.substr(dot + 1) == (parent == "label" ? name.substr(0, dot) : parent);
        });
        if (found == tests.rend()) fail("no upstream was tested with a name below " + parent);
        return *found;
    }

    // power fails for DURATION, the machine is up for UPTIME
    void power(const Words& w) {
        if (w.at(1) != "fails" || w.at(2) != "for" || w.at(4) != "uptime")
            fail("power fails for DURATION uptime DURATION");
        const test::TempFolder folder;
        world().dump_caches(folder.path.string());
        options_.elapsed = world().elapsed() + duration(w.at(3));
        options_.uptime = duration(w.at(5));
        world_.reset();
        world_ = std::make_unique<World>(options_);
        world_->restore_caches(folder.path.string());
    }

    void task(const Words& w) {
        const bool wanted = w.at(3) != "not";
        if (w.at(2) != "is" || w.at(wanted ? 3 : 4) != "raised")
            fail("a task is raised or is not raised");
        ++expectations_;
        const auto raised = world().take_raised(w[1]);
        if (!raised) fail("nothing that queries come to has the tag '" + w[1] + "'");
        if (*raised != wanted) fail(w[1] + (*raised ? " is raised" : " is not raised"));
    }

    void client(const Words& w) {
        std::size_t at = 1;
        if (w.at(1) != "is" && w.at(1) != "has") {
            client_ = IpAddress::parse(w[1]) ? IpAddress::parse(w[1])->to_string() : w[1];
            at = 2;
        }
        if (w.at(at) == "asks") {
            const std::string &name = w.at(at + 1), &type = w.at(at + 2);
            at += 3;
            const auto value_of = [&](const char* word) {
                if (at >= w.size() || w[at] != word) return std::optional<std::uint16_t>{};
                at += 2;
                return std::optional(static_cast<std::uint16_t>(number(w.at(at - 1))));
            };
            const auto klass = value_of("class"), vlan = value_of("vlan"), port = value_of("port");
            world().ask(client_, name, type_of(type), edns_of(w, at), klass.value_or(dns::kIn),
                        vlan, port);
        } else if (w.at(at) == "is" && w.at(at + 1) == "answered") {
            is_answered(w, at + 2);
        } else if (w.at(at) == "has" && w.at(at + 1) == "no" && w.at(at + 2) == "answer") {
            ++expectations_;
            for (const auto& a : world().answers) {
                if (a.client == client_) fail("there is one: " + text_of(a));
            }
        } else {
            fail("a client asks, is answered, or has no answer");
        }
    }

    // [norec] [edns] [do] [ecs ADDRESS/LENGTH] [option CODE:HEX]…
    SeenEdns edns_of(const Words& w, std::size_t at) {
        SeenEdns edns;
        edns.without_recursion = at < w.size() && w[at] == "norec";
        if (edns.without_recursion) ++at;
        edns.present = at < w.size();
        for (; at < w.size(); ++at) {
            if (w[at] == "do")
                edns.dnssec_ok = true;
            else if (w[at] == "cd")
                edns.checking_disabled = true;
            else if (w[at] == "ad")
                edns.authentic = true;
            else if (w[at] == "ecs")
                edns.ecs = w.at(++at) + "/0";
            else if (w[at] == "option")
                edns.options += w.at(++at) + " ";
            else if (w[at] == "cookie")
                edns.cookie = cookie_of(w.at(++at));
            else if (w[at] != "edns")
                fail("a client does not ask with '" + w[at] + "'");
        }
        return edns;
    }

    // new: a client cookie alone; kept: the last answer's; forged: its server cookie has a wrong
    // bit; of ADDRESS: another client's.
    std::string cookie_of(const std::string& word) {
        if (word == "new") return "2464c4abcf10c957";
        if (IpAddress::parse(word)) return world().cookies[word];
        std::string cookie = world().cookies[client_];
        if (cookie.empty()) fail("no answer had a cookie");
        if (word == "forged") cookie.back() = cookie.back() == '0' ? '1' : '0';
        if (word != "kept" && word != "forged") fail("no cookie '" + word + "' in stories");
        return cookie;
    }

    // The client has its cookie, as `new`; the server's part is the same as before or not.
    void expect_cookie(const SeenAnswer& a, const std::string& wanted) {
        const std::string& cookie = a.edns.cookie;
        if (wanted == "none") return expect_same("cookie", cookie, "");
        constexpr std::size_t kWhole = 48;  // hex digits
        if (cookie.size() != kWhole || !cookie.starts_with(cookie_of("new")))
            fail("another cookie: '" + cookie + "'");
        const bool is_same = cookie == answered_cookies_[a.client];
        answered_cookies_[a.client] = cookie;
        if (wanted != (is_same ? "same" : "fresh"))
            fail(is_same ? "the same cookie" : "a fresh cookie");
    }

    void is_answered(const Words& w, std::size_t at) {
        ++expectations_;
        auto& answers = world().answers;
        const auto found = std::find_if(answers.begin(), answers.end(), [&](const auto& a) {
            return a.client == client_ && a.name == w.at(at) && a.type == type_of(w.at(at + 1));
        });
        if (found == answers.end()) {
            std::string seen;
            for (const auto& a : answers)
                seen += "\n  " + text_of(a);
            fail("no such answer; not yet named:" + (seen.empty() ? " nothing" : seen));
        }
        const SeenAnswer a = *found;
        answers.erase(found);
        unsigned rcode = 0;
        std::vector<std::string> data, chain, additional;
        std::pair<std::uint64_t, std::uint64_t> ttl{0, UINT32_MAX};
        for (std::size_t i = at + 2; i < w.size(); ++i) {
            if (w[i] == "ttl")
                ttl = range(w.at(++i));
            else if (w[i] == "rcode")
                rcode = rcode_of(w.at(++i)).value_or(99);
            else if (w[i] == "ede")
                expect_ede(a, w.at(++i));
            else if (w[i] == "soa")
                expect_same("number of authority records", std::to_string(a.authority.size()), "1");
            else if (w[i] == "zone")
                expect_same("zone", a.authority.empty() ? "" : a.authority[0].name, w.at(++i));
            else if (w[i] == "aa")
                expect_same("AA", a.authoritative ? "set" : "clear", "set");
            else if (w[i] == "ecs")
                expect_same("subnet", a.edns.ecs, w.at(++i) == "none" ? "" : w[i]);
            else if (w[i] == "options")
                i = expect_options(a.edns, w, i + 1);
            else if (w[i] == "cookie")
                expect_cookie(a, w.at(++i));
            else if (w[i] == "cname")
                chain.push_back(w.at(++i));
            else if (w[i] == "additional")
                additional.push_back(w.at(++i));
            else if (w[i] == "truncated")
                expect_same("TC", a.truncated ? "set" : "clear", "set");
            else if (w[i] == "ad")
                expect_same("AD", a.authentic ? "set" : "clear", "set");
            else if (w[i] == "not" && w.at(i + 1) == "aa")
                expect_same("AA", a.authoritative ? "set" : "clear", ++i != 0 ? "clear" : "?");
            else if (w[i] == "not")
                expect_same("AD", a.authentic ? "set" : "clear", w.at(++i) == "ad" ? "clear" : "?");
            else
                data.push_back(w[i]);
        }
        if (!chain.empty()) expect_chain(a, chain);
        std::vector<std::string> got;
        for (const auto& r : a.records) {
            if (r.type != dns::kCname) got.push_back(r.data);
            if (r.type == dns::kCname && !chain.empty()) continue;
            if (r.ttl_s < ttl.first || r.ttl_s > ttl.second) fail("another TTL: " + text_of(a));
        }
        for (const auto* const section : {&a.authority, &a.additional}) {
            for (const auto& r : *section) {
                if (r.ttl_s < ttl.first || r.ttl_s > ttl.second) fail("another TTL: " + text_of(a));
            }
        }
        std::vector<std::string> behind;
        for (const auto& r : a.additional)
            behind.push_back(r.data);
        std::sort(behind.begin(), behind.end());
        std::sort(additional.begin(), additional.end());
        if (behind != additional) fail("other additional records: " + text_of(a));
        std::sort(got.begin(), got.end());
        std::sort(data.begin(), data.end());
        if (got != data || a.rcode != rcode) fail("another answer: " + text_of(a));
    }

    static void expect_same(const std::string& what, const std::string& got,
                            const std::string& wanted) {
        if (got != wanted) fail("another " + what + ": '" + got + "'");
    }

    // The options are the words from `at` on, or none. Returns the place of the last.
    static std::size_t expect_options(const SeenEdns& edns, const Words& w, std::size_t at) {
        const bool none = w.at(at) == "none";
        expect_same("options", edns.options, none ? "" : join(w, at));
        return none ? at : w.size();
    }

    // The name that was asked for, then those of `chain` (TARGET or TARGET@TTL); other records are of the last.
    static void expect_chain(const SeenAnswer& a, const std::vector<std::string>& chain) {
        std::string owner = a.name;
        std::size_t links = 0;
        for (const auto& r : a.records) {
            if (r.type == dns::kDname) continue;
            if (r.name != owner)
                fail("a record of " + r.name + " where one of " + owner +
                     " was due: " + text_of(a));
            if (r.type != dns::kCname) continue;
            if (links == chain.size()) fail("one more CNAME: " + text_of(a));
            const std::string& link = chain[links++];
            const auto at = link.find('@');
            expect_same("CNAME", r.data, link.substr(0, at));
            if (at != std::string::npos && r.ttl_s != number(link.substr(at + 1)))
                fail("another TTL of the CNAME: " + text_of(a));
            owner = r.data;
        }
        if (links != chain.size()) fail("too few CNAMEs: " + text_of(a));
    }

    static void expect_ede(const SeenAnswer& a, const std::string& wanted) {
        expect_same("extended error", a.edns.ede ? std::to_string(*a.edns.ede) : "none", wanted);
    }

    void every(const Words& w) {
        const Ms step = duration(w.at(1));
        const Ms until = duration(w.at(3));
        const std::string client = IpAddress::parse(w.at(5)).value().to_string();
        const std::string& name = w.at(7);
        const auto type = type_of(w.at(8));
        for (Ms t = world().elapsed(); t < until; t += step) {
            world().schedule(t, [this, client, name, type] {
                world().answers.clear();  // the judge reads them from the log
                world().queries.clear();
                world().ask(client, name, type);
            });
        }
    }

    void upstream(Words w) {
        std::string address;  // of the only one that is meant
        if (IpAddress::parse(w.at(1))) {
            address = w[1];
            w.erase(w.begin() + 1);
        }
        const auto is_meant = [&](const SeenQuery& q) {
            return address.empty() || q.upstream() == address;
        };
        const auto is_named = [&](const SeenQuery& q) {
            return is_meant(q) && q.name == w.at(3) && q.type == type_of(w.at(4));
        };
        auto& queries = world().queries;
        if (w.at(1) == "is" && w.at(2) == "asked") {
            ++expectations_;
            const auto found = std::find_if(queries.begin(), queries.end(), is_named);
            if (found == queries.end()) fail("it was not");
            if (w.size() > 6 && w[5] == "ecs")
                expect_same("subnet", found->edns.ecs, w[6] == "none" ? "" : w[6] + "/0");
            if (w.size() > 6 && w[5] == "options") expect_options(found->edns, w, 6);
            if (w.size() > 6 && w[5] == "cookie") {
                const std::size_t digits = found->edns.cookie.size();
                expect_same("cookie",
                            digits == 0    ? "none"
                            : digits == 16 ? "client"
                                           : "server",
                            w[6]);
            }
            queries.erase(found);
        } else if (w.at(1) == "was" && w.at(2) == "asked") {
            ++expectations_;
            if (std::erase_if(queries, is_named) == 0) fail("it was not");
        } else if (w.at(1) == "is" && w.at(2) == "not") {
            ++expectations_;
            const auto found = std::find_if(queries.begin(), queries.end(), is_meant);
            if (found != queries.end()) fail("it was asked " + found->name);
        } else if (w.at(1) == "answers") {
            if (!world().answer(address, w.at(2), type_of(w.at(3)), served(w, 2)))
                fail("it was not asked that");
        } else if (w.at(1) == "serves") {
            world().serve(address, w.at(2), type_of(w.at(3)), served(w, 2));
        } else {
            fail("an upstream is asked, answers or serves");
        }
    }

    void router(const Words& w) {
        auto& r = world().router(w.at(1));
        const auto now_us = world().router_time_us();
        const std::string& verb = w.at(2);
        if (verb == "reboots")
            r.reboot(static_cast<std::int64_t>(duration(w.at(4)) * 1000), now_us);
        else if (verb == "hangs")
            r.hang(now_us);
        else if (verb == "resumes")
            r.resume(now_us);
        else if (verb == "gets")
            r.add_row(family(w.at(6)), w.at(5), w.at(6),
                      w.size() > 8
                          ? std::optional(static_cast<std::int64_t>(duration(w.at(8)) / 1000))
                          : std::nullopt,
                      "by hand", now_us);
        else if (verb == "loses") {
            if (!r.remove_row(family(w.at(5)), w.at(4), w.at(5), now_us))
                fail("it has no such row");
        } else if (verb == "disables" || verb == "enables") {
            rossim::RowEdit edit;
            edit.disabled = verb == "disables";
            if (!r.edit_row(family(w.at(5)), w.at(4), w.at(5), edit, now_us))
                fail("it has no such row");
        } else if (verb == "is")
            is_sent(w);
        else if (verb == "has")
            has_rows(r, w);
        else
            fail("a router does not '" + verb + "'");
        world().advance_to(world().elapsed());
    }

    static rossim::Family family(const std::string& address) {
        return address.find(':') == std::string::npos ? rossim::Family::ipv4 : rossim::Family::ipv6;
    }

    void is_sent(const Words& w) {
        ++expectations_;
        auto& sentences = world().sentences[w[1]];
        const bool nothing = w.at(4) == "nothing";
        const std::size_t from = nothing ? 6 : 4;
        const auto found =
            std::find_if(sentences.begin(), sentences.end(), [&](const std::string& s) {
                std::istringstream split(s);
                Words have;
                for (std::string word; split >> word;)
                    have.push_back(word);
                return std::all_of(
                    w.begin() + static_cast<std::ptrdiff_t>(from), w.end(), [&](const auto& word) {
                        return std::find(have.begin(), have.end(), word) != have.end();
                    });
            });
        if (nothing) {
            if (found != sentences.end()) fail("it was sent: " + *found);
            return;
        }
        if (found == sentences.end()) {
            std::string seen;
            for (const auto& s : sentences)
                seen += "\n  " + s;
            fail("it was not; not yet named:" + seen);
        }
        sentences.erase(sentences.begin(), found + 1);
    }

    void has_rows(rossim::Router& r, const Words& w) {
        ++expectations_;
        if (w.at(4) == "rows") {
            const auto n = r.rows(rossim::Family::ipv4, w.at(6)).size() +
                           r.rows(rossim::Family::ipv6, w.at(6)).size();
            if (n != number(w.at(3))) fail("it has " + std::to_string(n));
            return;
        }
        const bool none = w.at(3) == "no";
        const std::size_t at = none ? 5 : 4;
        const auto rows = r.rows(family(w.at(at + 1)), w.at(at));
        const auto found = std::find_if(
            rows.begin(), rows.end(), [&](const auto& row) { return row.address == w.at(at + 1); });
        if (none != (found == rows.end())) {
            std::string seen;
            for (const auto& row : rows)
                seen += " " + row.address;
            fail(none ? "it has that row" : "it has only:" + seen);
        }
        if (!none && w.size() > at + 2) {
            if (w.at(at + 2) == "permanent") {
                if (found->left_us) fail("it has a timeout");
                return;
            }
            const auto [low, high] = range(w.at(at + 3));
            if (!found->left_us) fail("it has no timeout");
            const auto left = static_cast<std::uint64_t>(*found->left_us / 1'000'000);
            if (left < low || left > high) fail("its timeout is " + std::to_string(left) + " s");
        }
    }

    std::uint64_t outcome(const std::string& name) {
        if (const auto* const found = kOutcomes.find(name)) return world().outcome(found->which);
        fail("there is no outcome '" + name + "'");
    }

    template <class Table>
    std::uint64_t labelled(const std::string& name, const Table& table) {
        const auto* const found = table.find(name);
        if (found == nullptr) fail("there is no counter '" + name + "'");
        std::uint64_t total = 0;
        for (unsigned w = 0; w < world().workers(); ++w)
            total += world().counters(w).get(found->which);
        return total;
    }

    void expect_count(const std::string& what, std::uint64_t got, const Words& w) {
        ++expectations_;
        const auto [low, high] = range(w.at(3));
        if (got < low || got > high) fail(what + " is " + std::to_string(got));
    }

    void log_says(const std::string& text) {
        ++expectations_;
        std::string all;
        for (const auto& line : world().log)
            all += "\n  " + line;
        if (all.find(text) == std::string::npos) fail("it says:" + all);
    }

    void sums_hold() {
        ++expectations_;
        for (unsigned w = 0; w < world().workers(); ++w) {
            const Counters& c = world().counters(w);
            std::uint64_t verdicts = 0;
            for (const auto& v : c.verdicts)
                verdicts += v.get();
            if (verdicts != c.get(Stat::rx_packets)) {
                fail("worker " + std::to_string(w) + ": " +
                     std::to_string(c.get(Stat::rx_packets)) + " packets, " +
                     std::to_string(verdicts) + " verdicts");
            }
        }
    }

    std::string file_, client_;
    std::map<std::string, std::string> answered_cookies_;  // by client
    WorldOptions options_;
    std::unique_ptr<World> world_;
    unsigned expectations_ = 0;
};

}  // namespace

void play(const std::string& story_file, const std::string& dns_log, const std::string& journal) {
    Player(story_file, dns_log, journal).play();
}

}  // namespace steer::test
