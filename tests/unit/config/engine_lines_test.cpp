// Lines of `extra` of a `recursion`: read as unbound reads them, and refused unless each option of
// them may be there.
#include "control/config/text/engine_lines.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "control/config/document.h"
#include "control/config/report.h"
#include "control/config/text/engine_options.h"

namespace steer::config {
namespace {

namespace fs = std::filesystem;

EngineLines read(const std::vector<std::string>& lines) {
    std::vector<Text> all;
    for (const std::string& line : lines)
        all.push_back({line, static_cast<int>(all.size()) + 1});
    return read_engine_lines(all);
}

// "clause: option|word|word option|word", of what is kept.
std::string kept(const std::vector<std::string>& lines) {
    std::string out;
    for (const EngineStatement& one : read(lines).statements) {
        if (!out.empty()) out += ' ';
        out += std::string(one.name) + (one.begins_clause ? ":" : "");
        for (const EngineWord& word : one.words)
            out += "|" + word.text;
    }
    return out;
}

// "LINE: WHAT WHY" of each refusal.
std::vector<std::string> refused(const std::vector<std::string>& lines) {
    std::vector<std::string> out;
    for (const EngineRefusal& one : read(lines).refusals)
        out.push_back(std::to_string(one.line) + ": " + one.what + " " + one.why);
    return out;
}

void is_refused(const std::string& line) {
    BOOST_TEST_CONTEXT(line) {
        BOOST_TEST(read({line}).refusals.size() == 1U);
        BOOST_TEST(read({line}).statements.empty());
    }
}

// The lines of all lists with the key `extra`.
void add_extra_lines(const Node& node, std::vector<std::string>& out) {
    for (const Entry& entry : node.entries) {
        if (entry.key == "extra") {
            for (const Node& item : entry.value.items)
                out.push_back(item.text);
        }
        add_extra_lines(entry.value, out);
    }
    for (const Node& item : node.items)
        add_extra_lines(item, out);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(engine_lines)

BOOST_AUTO_TEST_CASE(a_hash_begins_a_comment_only_where_a_word_could_begin) {
    BOOST_TEST(kept({"identity: x#y"}) == "identity|x#y");
    BOOST_TEST(kept({"identity: x # directory: \"/\""}) == "identity|x");
    BOOST_TEST(kept({"# port: 53", "  #", ""}).empty());
    is_refused("identity: x# directory: \"/\"");
    is_refused("identity: \"x\"#\tdirectory: \"/\"\nport: 53");
}

BOOST_AUTO_TEST_CASE(words_end_where_unbounds_do) {
    BOOST_TEST(kept({"identity: \"a\"version: b"}) == "identity|a version|b");
    BOOST_TEST(kept({"local-zone:\"a.\"static do-ip6:no"}) == "local-zone|a.|static do-ip6|no");
    BOOST_TEST(kept({R"(local-data: 'a. TXT "b"')"}) == R"(local-data|a. TXT "b")");
    BOOST_TEST(kept({R"(identity: "a \" b" version: a\ b)"}) == R"(identity|a \" b version|a\ b)");
    BOOST_TEST(kept({"do-not-query-address: fe80::"}) == "do-not-query-address|fe80::");
    BOOST_TEST(kept({"identity: forward-zone:"}) == "identity|forward-zone:");
    BOOST_TEST(kept({"local-zone:", "# which one", "\"a.\"", "static do-ip6:", "no"}) ==
               "local-zone|a.|static do-ip6|no");
    BOOST_TEST(
        refused({"identity: \"a", "version b"}) ==
            std::vector<std::string>({"1: 'identity' has a quote that does not end on its line",
                                      "2: \"version b\" is no option: expected NAME: VALUE"}),
        boost::test_tools::per_element());
    is_refused("identity: a\\");
    is_refused("identity: 'a\\'");
    is_refused("identity: a\rdirectory: b");
    is_refused("identity: \"a\nport: 53\"");
    is_refused(std::string("identity: a\0b", 13));
    is_refused("local-zone: \"a.\"");
    is_refused("\"identity\": a");
    is_refused("identity : a");
    is_refused("Identity: a");
}

BOOST_AUTO_TEST_CASE(what_is_not_listed_is_refused) {
    for (const std::string line : {"port: 53",
                                   "interface: 0.0.0.0",
                                   "directory: \"/\"",
                                   "username: root",
                                   "chroot: \"/\"",
                                   "logfile: \"/tmp/x\"",
                                   "log-identity: x",
                                   "use-syslog: yes",
                                   "verbosity: 5",
                                   "control-enable: yes",
                                   "python-script: \"/tmp/x.py\"",
                                   "dynlib-file: \"/tmp/x.so\"",
                                   "ipsecmod-hook: \"/bin/sh\"",
                                   "dns64-prefix: 64:ff9b::/96",
                                   "backend: redis",
                                   "include: \"/etc/shadow\"",
                                   "include:/etc/shadow",
                                   "include-toplevel: /etc/shadow",
                                   "identity: include: /etc/shadow",
                                   "identity: include:\"/etc/shadow\"",
                                   "local-zone: a. include-toplevel: /etc/shadow",
                                   "nonsense: 1",
                                   "identity",
                                   "do-ip6: no port: 53",
                                   "identity: \"a\" directory: \"/\"",
                                   "identity: a\\\tb directory: \"/\"",
                                   "identity: 'a\"b' port: 53",
                                   "access-control: 0.0.0.0/0 allow interface: 0.0.0.0",
                                   "remote-control:",
                                   "python: python-script: /x",
                                   "dnstap:",
                                   "name: x",
                                   "forward-addr: 192.0.2.1"})
        is_refused(line);
    // As a word it is one.
    BOOST_TEST(kept({"identity: \"include:\" version: include:x"}) ==
               "identity|include: version|include:x");
}

BOOST_AUTO_TEST_CASE(modules_that_run_other_programs_are_refused) {
    BOOST_TEST(kept({"module-config: \"respip subnetcache validator iterator\""}) ==
               "module-config|respip subnetcache validator iterator");
    BOOST_TEST(kept({"module-config: iterator"}) == "module-config|iterator");
    for (const std::string modules :
         {"python validator iterator", "validator python iterator", "dynlib iterator",
          "ipsecmod iterator", "cachedb iterator", "dns64 iterator", "Iterator", "", " "})
        is_refused("module-config: \"" + modules + "\"");
    BOOST_TEST(refused({"module-config: \"python iterator\""}) ==
                   std::vector<std::string>({"1: 'module-config' may have the modules respip, "
                                             "subnetcache, validator and iterator, found \"python "
                                             "iterator\""}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(files_lie_below_the_engines_folders) {
    for (const std::string path :
         {"/var/lib/unbound/steerdns/x", "/usr/share/dns/root.hints",
          "/etc/ssl/certs/ca-certificates.crt", "x.zone", "keys/..x", ""}) {
        BOOST_TEST(read({"root-hints: \"" + path + "\""}).refusals.empty(), path);
    }
    for (const std::string path :
         {"/etc/shadow", "/etc/unbound/x", "../x", "x/..", "/usr/share/../../etc/shadow",
          "/usr/share/*", "/usr/share/{a,b}", "~root/x", "/usr/share/", "/usr/shared/x",
          "/var/lib/unbound", "//etc/shadow", "/etc/ssl/certs/..", "/etc/ssl/private/key.pem",
          "/usr/share/a\\"}) {
        BOOST_TEST(read({"root-hints: '" + path + "'"}).refusals.size() == 1U, path);
    }
    for (const EngineOption& option : engine_options()) {
        const bool names_file = option.name.find("file") != option.name.npos ||
                                option.name.find("bundle") != option.name.npos ||
                                option.name.find("hints") != option.name.npos ||
                                option.name.find("script") != option.name.npos;
        BOOST_TEST((option.value == EngineValue::file) == names_file, option.name);
    }
}

BOOST_AUTO_TEST_CASE(a_refused_clause_is_left_out_as_a_whole) {
    const std::vector<std::string> lines{
        "do-ip6: no",        "python:", "python-script: \"/x\"",   "name: a",
        "forward-zone:",     "name: b", "forward-addr: 192.0.2.1", "port: 53",
        "forward-first: yes"};
    BOOST_TEST(kept(lines) ==
               "do-ip6|no forward-zone: name|b forward-addr|192.0.2.1 forward-first|yes");
    BOOST_TEST(refused(lines) ==
                   std::vector<std::string>({"2: 'python' may not be here: remove it and its lines",
                                             "8: 'port' may not be here: remove it"}),
               boost::test_tools::per_element());
    // A good one, whose first line has something else.
    BOOST_TEST(kept({"stub-zone: port: 53", "name: a", "stub-addr: 192.0.2.1",
                     "server:", "do-ip6: no"}) == "server: do-ip6|no");
    BOOST_TEST(kept({"port: 53 stub-zone:", "name: a", "stub-addr: 192.0.2.1"}).empty());
    // Of an unbound that comes.
    BOOST_TEST(kept({"do-ip6: no", "new-clause:", "do-ip6: yes", "stub-zone:", "name: a"}) ==
               "do-ip6|no stub-zone: name|a");
    BOOST_TEST(read({"python:"}).refusals.front().with_clause);
    BOOST_TEST(!read({"port: 53"}).refusals.front().with_clause);
}

BOOST_AUTO_TEST_CASE(each_option_is_known_once_in_a_clause_that_may_be_there) {
    std::set<std::pair<std::string_view, int>> seen;
    for (const EngineOption& option : engine_options()) {
        for (const EngineClause& clause : engine_clauses()) {
            if ((option.clauses & clause.bit) == 0) continue;
            BOOST_TEST(seen.emplace(option.name, clause.bit).second, option.name);
            std::string line = std::string(clause.name) + ": " + std::string(option.name) + ":";
            for (unsigned i = 0; i < option.words; ++i)
                line += option.value == EngineValue::modules ? " iterator" : " x";
            BOOST_TEST(read({line}).refusals.empty(), line);
            is_refused(line + " x");
        }
        BOOST_TEST(option.clauses != 0);
        BOOST_TEST((option.since >= 17 && option.since <= 26), option.name);
    }
}

BOOST_AUTO_TEST_CASE(every_line_that_an_import_writes_may_be_there) {
    std::vector<std::string> lines;
    for (const auto& entry : fs::directory_iterator(fs::path(STEER_SOURCE_ROOT) / "tests/import")) {
        if (entry.path().extension() != ".yaml") continue;
        std::ifstream in(entry.path());
        const std::string text{std::istreambuf_iterator<char>(in), {}};
        Report report(entry.path());
        std::vector<std::string> of_file;
        add_extra_lines(parse_document(text, report), of_file);
        BOOST_TEST(refused(of_file).empty(), entry.path());
        lines.insert(lines.end(), of_file.begin(), of_file.end());
    }
    BOOST_TEST(lines.size() > 20U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::config
