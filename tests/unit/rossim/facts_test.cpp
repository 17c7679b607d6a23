// What real routers answer and do, against rossim: facts.txt, whose first lines explain its form.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>

#include "api_client.h"
#include "tools/rossim/schema.h"

namespace rossim::test {
namespace {

const std::string kRoot = STEER_SOURCE_ROOT;

std::string content_of(const std::string& path) {
    std::ifstream in(kRoot + path);
    BOOST_REQUIRE_MESSAGE(in, path);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

// By blanks; "..." keeps them, and knows \r, \n, \" and \\.
Words words_of(const std::string& line) {
    Words words;
    bool is_quoted = false, is_open = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (c == '"') {
            is_quoted = !is_quoted;
            if (!is_open) words.emplace_back();
            is_open = true;
        } else if (c == ' ' && !is_quoted) {
            is_open = false;
        } else {
            if (!is_open) words.emplace_back();
            is_open = true;
            if (c == '\\' && is_quoted && i + 1 < line.size()) {
                const char next = line[++i];
                words.back() += next == 'r' ? '\r' : next == 'n' ? '\n' : next;
            } else {
                words.back() += c;
            }
        }
    }
    return words;
}

// "7.16.2"
Version version_of(const std::string& text) {
    Version version{0, 0, 0};
    char dot = 0;
    std::istringstream in(text);
    in >> version.major >> dot >> version.minor >> dot >> version.patch;
    return version;
}

const std::vector<Version>& all_versions() {
    static const std::vector<Version> kAll = [] {
        std::vector<Version> all;
        const std::string text = content_of("/tools/rossim/schema.json");
        std::string list = text.substr(text.find("\"_versions\": [") + 14);
        list = list.substr(0, list.find(']'));
        for (std::size_t at = list.find('"'); at != list.npos; at = list.find('"', at)) {
            const std::size_t end = list.find('"', at + 1);
            all.push_back(version_of(list.substr(at + 1, end - at - 1)));
            at = end + 1;
        }
        return all;
    }();
    return kAll;
}

struct Fact {
    std::string key, text;
    Version first{0, 0, 0}, last{99, 0, 0};
    std::size_t line = 0;
    std::vector<std::pair<std::size_t, std::string>> script;  // with line numbers
};

struct Table {
    std::vector<Fact> facts;
    std::map<std::string, std::string> open, left;  // key: who asks; why there is no session
};

// "fact KEY 7.18..7.20: TEXT"
Fact fact_of(const std::string& line, std::size_t number) {
    Fact fact;
    fact.line = number;
    const std::size_t colon = line.find(": ");
    BOOST_REQUIRE_MESSAGE(colon != line.npos, "facts.txt:" << number << ": expected KEY: TEXT");
    fact.text = line.substr(colon + 2);
    const Words head = words_of(line.substr(5, colon - 5));
    fact.key = head.at(0);
    if (head.size() > 1) {
        const std::size_t dots = head[1].find("..");
        if (dots > 0) fact.first = version_of(head[1].substr(0, dots));
        if (dots + 2 < head[1].size()) fact.last = version_of(head[1].substr(dots + 2));
    }
    return fact;
}

Table read_table() {
    Table table;
    std::istringstream in(content_of("/tests/unit/rossim/facts.txt"));
    std::string line;
    for (std::size_t number = 1; std::getline(in, line); ++number) {
        if (line.empty() || line[0] == '#') continue;
        const Words words = words_of(line);
        if (line.starts_with("fact ")) {
            table.facts.push_back(fact_of(line, number));
        } else if (line.starts_with("open ") || line.starts_with("left ")) {
            auto& entries = line[0] == 'o' ? table.open : table.left;
            const std::string key = line.substr(5, line.find(": ") - 5);
            BOOST_TEST(entries.emplace(key, line.substr(line.find(": ") + 2)).second, key);
        } else {
            BOOST_REQUIRE_MESSAGE(!table.facts.empty(), "facts.txt:" << number << ": no fact");
            table.facts.back().script.emplace_back(number, line);
        }
    }
    return table;
}

std::string joined(const Words& words) {
    std::string text;
    for (const std::string& word : words)
        text += (text.empty() ? "" : " ") + word;
    return text;
}

// One fact on a router of one version.
class Session {
  public:
    Session(const Fact& fact, const Version& version)
        : bench_(options_of(version)), sessions_{{"a", bench_.connect()}} {
        for (const auto& [number, line] : fact.script) {
            number_ = number;
            if (line.starts_with("    "))
                expect(words_of(line));
            else
                act(words_of(line));
        }
        expect_nothing_more();
    }

  private:
    static Options options_of(const Version& version) {
        Options options;
        options.version = version;
        options.wall_at_zero_ns = 1'790'844'612'000'000'000;  // 2026-10-01 08:50:12
        options.max_sessions = 3;
        options.users = {{"admin", "", {"read", "write", "api", "ftp"}},
                         {"reader", "", {"read", "api"}},
                         {"lists", "", {"read", "write", "api"}}};
        return options;
    }
    [[noreturn]] void fail(const std::string& why) const {
        throw std::runtime_error("facts.txt:" + std::to_string(number_) + ": " + why);
    }
    SessionId at(const std::string& name, const std::string& user = "admin") {
        const auto known = sessions_.find(name);
        if (known != sessions_.end()) return known->second;
        const SessionId id = bench_.connect_raw();
        sessions_.emplace(name, id);
        if (user != "-") bench_.ask(id, {"/login", "=name=" + user, "=password="});
        return id;
    }
    static Words sentence(const Words& words, std::size_t from) {
        Words out{words.at(from)};
        for (std::size_t i = from + 1; i < words.size(); ++i) {
            const bool is_raw = words[i][0] == '?' || words[i].starts_with(".tag=");
            out.push_back(is_raw ? words[i] : "=" + words[i]);
        }
        return out;
    }
    void act(const Words& words) {
        expect_nothing_more();
        const std::string& what = words.at(0);
        if (what == "at") {  // at 5s
            bench_.run_until(std::stoll(words.at(1)) * kSecond);
            current_ = sessions_.at("a");
        } else if (what == "say") {
            current_ = at("a");
            got_ = bench_.ask(current_, sentence(words, 1));
        } else if (what == "from") {  // from b say WORDS, from b send WORDS, from b hear
            current_ = at(words.at(1));
            if (words.at(2) == "say") got_ = bench_.ask(current_, sentence(words, 3));
            if (words.at(2) == "send") bench_.write(current_, sentence(words, 3));
            if (words.at(2) == "hear" || words.at(2) == "send") {
                bench_.run_until(bench_.now_us + 1000);
                got_ = bench_.take(current_);
            }
        } else if (what == "login") {  // login b reader; "-": connected only
            current_ = at(words.at(1), words.at(2));
        } else if (what == "closed") {  // closed b
            if (!bench_.is_closed(at(words.at(1)))) fail("the connection is open");
        } else if (what == "reboot") {
            bench_.router.reboot(kSecond, bench_.now_us);
            bench_.run_until(bench_.now_us + 2 * kSecond);
            sessions_ = {{"a", bench_.connect()}};
        } else if (what == "resolve") {  // resolve NAME ADDRESS...
            bench_.router.resolve(Family::ipv4, words.at(1), {words.begin() + 2, words.end()},
                                  bench_.now_us);
        } else if (what == "connection") {  // connection SRC:PORT DST:PORT [MARK]
            bench_.router.add_connection(
                words.at(2)[0] == '[' || words.at(2).find("::") != std::string::npos ? Family::ipv6
                                                                                     : Family::ipv4,
                {.src_address = words.at(1),
                 .dst_address = words.at(2),
                 .connection_mark = words.size() > 3 ? words[3] : ""},
                bench_.now_us);
        } else {
            fail("unknown: " + what);
        }
    }
    void expect(Words words) {
        const bool has_more = words.back() == "...";
        if (has_more) words.pop_back();
        if (got_.empty()) fail("no reply left, expected " + joined(words));
        const Words reply = got_.front().words;
        got_.erase(got_.begin());
        bool is_right = reply.at(0) == words.at(0) && (has_more || reply.size() == words.size());
        for (std::size_t i = 1; i < words.size(); ++i) {
            if (words[i].starts_with("no ")) {
                is_right &= value_of(reply, words[i].substr(3)).empty();
            } else if (words[i].ends_with("=<any>")) {
                is_right &= !value_of(reply, words[i].substr(0, words[i].size() - 6)).empty();
            } else {
                is_right &= has(reply, words[i][0] == '.' && words[i].starts_with(".tag=")
                                           ? words[i]
                                           : (words[0] == "!fatal" ? words[i] : "=" + words[i]));
            }
        }
        if (!is_right) fail("expected " + joined(words) + ", got " + joined(reply));
    }
    void expect_nothing_more() const {
        if (!got_.empty()) fail("before this line, an unexpected " + joined(got_.front().words));
    }

    Bench bench_;
    std::map<std::string, SessionId> sessions_;
    SessionId current_ = 0;
    std::vector<Received> got_;
    std::size_t number_ = 0;
};

BOOST_AUTO_TEST_SUITE(facts)

BOOST_AUTO_TEST_CASE(rossim_does_as_each_fact_says_in_each_version) {
    const Table table = read_table();
    std::size_t sessions = 0;
    for (const Fact& fact : table.facts) {
        BOOST_TEST(!fact.script.empty(), fact.key << " has no session");
        std::size_t tried = 0;
        for (const Version& version : all_versions()) {
            if (version < fact.first || fact.last < version) continue;
            ++tried;
            try {
                Session session(fact, version);
            } catch (const std::exception& error) {
                BOOST_ERROR("RouterOS " << version.major << "." << version.minor << ", " << fact.key
                                        << ": " << error.what());
                break;
            }
        }
        BOOST_TEST(tried > 0U, fact.key << " holds for no version");
        sessions += tried;
    }
    BOOST_TEST_MESSAGE(table.facts.size() << " facts, " << sessions << " sessions");
    BOOST_TEST(table.facts.size() > 50U);
    BOOST_TEST(all_versions().size() == 16U);
}

// What is not known, the product's probe or the harness for real routers asks.
BOOST_AUTO_TEST_CASE(each_open_fact_is_asked) {
    const Table table = read_table();
    const std::string probe = content_of("/routeros/findings.h");
    for (const auto& [key, who] : table.open) {
        const std::string label = who.substr(0, who.find(':'));
        if (who.starts_with("probe "))
            BOOST_TEST(probe.find("\"" + label.substr(6) + "\"") != probe.npos, key << ": " << who);
        else
            BOOST_TEST(label == "harness", key << ": " << who);
    }
    BOOST_TEST(!table.open.empty());
}

// The questions for real routers and these facts have the same keys; what is not sure may be asked without a fact.
BOOST_AUTO_TEST_CASE(each_question_for_real_routers_is_a_fact_here) {
    const Table table = read_table();
    std::set<std::string> keys;
    for (const Fact& fact : table.facts)
        keys.insert(fact.key);
    for (const auto* const entries : {&table.open, &table.left}) {
        for (const auto& [several, text] : *entries) {
            for (std::string key : words_of(several)) {
                if (key.ends_with(',')) key.pop_back();
                keys.insert(key);
            }
        }
    }
    const std::string questions = content_of("/tests/router/questions.py");
    const std::regex key_and_certainty("\"([a-z0-9-]+)\", \"high\"");
    std::size_t count = 0;
    for (std::sregex_iterator at(questions.begin(), questions.end(), key_and_certainty), end;
         at != end; ++at, ++count)
        BOOST_TEST(keys.contains((*at)[1]), (*at)[1]);
    BOOST_TEST(count > 30U);
}

BOOST_AUTO_TEST_CASE(a_wrong_expectation_fails) {
    Fact fact;
    fact.script = {{1, "say /ip/firewall/address-list/add list=l address=192.0.2.1"},
                   {2, "    !done ret=*2"}};
    BOOST_CHECK_EXCEPTION(Session(fact, {7, 21, 0}), std::runtime_error, [](const auto& error) {
        return std::string(error.what()) == "facts.txt:2: expected !done ret=*2, got !done =ret=*1";
    });
    fact.script = {{1, "say /ip/firewall/address-list/print"}};
    BOOST_CHECK_THROW(Session(fact, {7, 21, 0}), std::runtime_error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace rossim::test
