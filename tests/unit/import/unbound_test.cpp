// The words of an unbound.conf, and what becomes of some of them.
#include "tools/import/unbound.h"

#include <boost/test/unit_test.hpp>
#include <map>

#include "control/config/text/engine_options.h"
#include "tools/import/unbound_import.h"
#include "tools/import/unbound_options.h"

using namespace steer::importing;

namespace {

using Texts = std::map<std::string, std::string>;

IncludeReader texts_of(const Texts& texts) {
    return [texts](const std::string& pattern) {
        std::vector<IncludedText> out;
        if (const auto at = texts.find(pattern); at != texts.end())
            out.push_back({pattern, at->second});
        return out;
    };
}

std::string all_words(std::string_view text, const Texts& texts = {}) {
    const UnboundFile read = read_unbound(text, texts_of(texts));
    std::string out;
    for (const UnboundClause& clause : read.clauses) {
        out += "[" + clause.name + "]";
        for (const UnboundOption& option : clause.options) {
            out += " " + option.name;
            for (const std::string& arg : option.args)
                out += "|" + arg;
        }
    }
    for (const Note& note : read.notes)
        out += " {" + note.place + "}";
    return out + (read.failure ? " failed " + std::to_string(read.failure->line) : "");
}

std::string unbound_yaml(const std::string& text) {
    const Imported made = import_unbound("server:\n" + text, "test", texts_of({}),
                                         [](const std::string&) { return true; });
    BOOST_TEST(!made.failure.has_value());
    return made.yaml;
}

bool has_part(const std::string& yaml, std::string_view part) {
    return yaml.find(part) != std::string::npos;
}

// A configuration with another one in `extra` is refused.
BOOST_AUTO_TEST_CASE(options_that_become_lines_for_the_engine_may_be_there) {
    const auto may_be_there = [](std::string_view clause, const UnboundKnown& known) {
        return steer::config::find_engine_option(steer::config::find_engine_clause(clause)->bit,
                                                 known.name) != nullptr;
    };
    for (const UnboundKnown& known : unbound_server_options()) {
        const bool becomes_line = known.use == UnboundUse::extra || known.use == UnboundUse::same ||
                                  known.use == UnboundUse::newer;
        BOOST_TEST((!becomes_line || may_be_there("server", known)), known.name);
    }
    for (const std::string_view clause : {"stub-zone", "forward-zone"}) {
        const std::string_view own = clause.substr(0, clause.find('-') + 1);
        for (const UnboundKnown& known : unbound_zone_options())
            BOOST_TEST((!known.name.starts_with(own) || may_be_there(clause, known)), known.name);
    }
}

BOOST_AUTO_TEST_CASE(words_are_read_as_unbound_reads_them) {
    BOOST_TEST(all_words("server: verbosity: 1 port:\n 53 # b\r\nidentity: 'a \"b\"'") ==
               "[server] verbosity|1 port|53 identity|a \"b\"");
    BOOST_TEST(all_words("server:\naccess-control: 10.0.0.0/8 allow\nstub-zone:\n name: \"x\"") ==
               "[server] access-control|10.0.0.0/8|allow[stub-zone] name|x");
    BOOST_TEST(all_words("forward-zone:\n forward-addr: 192.0.2.1@853#dns.example # c") ==
               "[forward-zone] forward-addr|192.0.2.1@853#dns.example");
    BOOST_TEST(all_words("port: 53") == "[server] port|53");
    BOOST_TEST(all_words("identity: \"a \\\" b\" version: a\\ b") ==
               "[server] identity|a \\\" b version|a\\ b");
}

BOOST_AUTO_TEST_CASE(unknown_words_are_named_with_their_lines) {
    BOOST_TEST(all_words("server:\n nonsense: 1 2\n port: 53\nwithout colon\n stub-addr: 1\n") ==
               "[server] port|53 {line 2} {line 4} {line 5}");
}

BOOST_AUTO_TEST_CASE(included_files_are_read_where_they_are_named) {
    const Texts texts{{"a.d/x", "port: 54\ninclude: y\nnonsense: 1"}, {"a.d/y", "identity: i"}};
    BOOST_TEST(all_words("server:\n include: \"a.d/x\"\n verbosity: 1", texts) ==
               "[server] port|54 identity|i verbosity|1 {line 3 of a.d/x}");
    BOOST_TEST(all_words("server:\n port: 1\ninclude-toplevel: a.d/y\nremote-control:\n",
                         {{"a.d/y", "stub-zone:\nname: z"}}) ==
               "[server] port|1[stub-zone] name|z[remote-control]");
    BOOST_TEST(all_words("server:\ninclude: none\n") == "[server] {line 2}");
}

BOOST_AUTO_TEST_CASE(files_that_include_themselves_end) {
    const std::string words = all_words("include: a", {{"a", "port: 53\ninclude: a"}});
    BOOST_TEST(words.ends_with(" {line 2 of a}"));
}

BOOST_AUTO_TEST_CASE(other_files_and_open_quotes_are_refused) {
    BOOST_TEST(all_words("") == " failed 0");
    BOOST_TEST(all_words("plugins:\n") == " {line 1} failed 0");
    BOOST_TEST(all_words("server:\n identity: \"a\n") == "[server] failed 2");
    BOOST_TEST(all_words(std::string_view("server:\n\0", 9)) == " failed 2");
    BOOST_TEST(all_words("include: a", {{"a", "port: 53\nidentity: 'x"}}) ==
               "[server] port|53 {line 2 of a}");
}

BOOST_AUTO_TEST_CASE(a_line_for_the_engine_keeps_its_words) {
    const auto line = [](std::vector<std::string> args) {
        return unbound_line({"line 1", "x", std::move(args)});
    };
    BOOST_TEST(line({"a", "b@5#c"}) == "x: a b@5#c");
    BOOST_TEST(line({"a b"}) == "x: \"a b\"");
    BOOST_TEST(line({""}) == "x: \"\"");
    BOOST_TEST(line({"fe80::"}) == "x: \"fe80::\"");  // else it would be a clause
    BOOST_TEST(line({"say \"a\""}) == "x: 'say \"a\"'");
}

BOOST_AUTO_TEST_CASE(outgoing_ports_are_a_range_if_they_can_be) {
    BOOST_TEST(has_part(unbound_yaml("outgoing-port-avoid: 0-32767\n"), "ports: 32768-65535"));
    BOOST_TEST(
        has_part(unbound_yaml("outgoing-port-avoid: 0-65535\noutgoing-port-permit: 20000-30000\n"),
                 "ports: 20000-30000"));
    BOOST_TEST(!has_part(unbound_yaml("outgoing-port-permit: 2000\n"), "ports: "));
    const std::string holes = unbound_yaml("outgoing-port-avoid: 3000\noutgoing-port-permit: 53\n");
    BOOST_TEST(
        has_part(holes, "\"outgoing-port-avoid: 3000\"\n        - \"outgoing-port-permit: 53\""));
    BOOST_TEST(!has_part(holes, "ports: "));
}

BOOST_AUTO_TEST_CASE(clients_are_never_more_than_before) {
    BOOST_TEST(has_part(unbound_yaml("port: 53\n"), "allow: [\"::1/128\", \"127.0.0.0/8\"]"));
    const std::string yaml = unbound_yaml(
        "access-control: 10.1.2.3/8 allow\naccess-control: 10.0.0.0/9 refuse\n"
        "access-control: 10.1.0.0/16 allow\naccess-control: 192.0.2.0/24 deny\n");
    BOOST_TEST(has_part(yaml, "\"10.0.0.0/8\"]"));
    BOOST_TEST(
        has_part(yaml, "[\"client_ip 10.0.0.0/9\", \"!client_ip 10.1.0.0/16\"], exec: \"reject "));
    BOOST_TEST(!has_part(yaml, "192.0.2.0"));
}

BOOST_AUTO_TEST_CASE(stale_answers_wait_only_if_unbound_did) {
    BOOST_TEST(has_part(unbound_yaml("serve-expired: yes\nserve-expired-ttl: 0\n"),
                        "lazy_cache_ttl: 2592000s"));
    BOOST_TEST(has_part(unbound_yaml("serve-expired: yes\nserve-expired-client-timeout: 500\n"),
                        "serve_stale: 86400s\n      stale_client_timeout: 500ms"));
    BOOST_TEST(!has_part(unbound_yaml("serve-expired: no\n"), "lazy"));
}

BOOST_AUTO_TEST_CASE(secrets_are_not_repeated) {
    const std::string yaml = unbound_yaml("cookie-secret: 000102030405060708090a0b0c0d0e0f\n");
    BOOST_TEST(has_part(yaml, "'cookie-secret: ...' is not imported"));
    BOOST_TEST(!has_part(yaml, "0a0b0c"));
}

BOOST_AUTO_TEST_CASE(networks_and_servers_are_read) {
    BOOST_TEST(network_of("192.0.2.77/26").value_or("") == "192.0.2.64/26");
    BOOST_TEST(network_of("2001:DB8::1").value_or("") == "2001:db8::1/128");
    BOOST_TEST(!network_of("192.0.2.0/33").has_value());
    BOOST_TEST(!network_of("eth0").has_value());
    BOOST_TEST(is_within("192.0.2.64/26", "192.0.2.0/24"));
    BOOST_TEST(!is_within("192.0.2.0/24", "192.0.2.64/26"));
    BOOST_TEST(!is_within("192.0.3.0/26", "192.0.2.0/24"));
    BOOST_TEST(is_within("::1/128", "::/0"));
    BOOST_TEST(!is_within("::1/128", "0.0.0.0/0"));
    const auto server = read_server_text("192.0.2.1@853#dns.example.");
    BOOST_REQUIRE(server.has_value());
    BOOST_TEST((server->address == "192.0.2.1" && server->port == 853));
    BOOST_TEST(server->name == "dns.example");
    for (const std::string_view bad :
         {"dns.example", "192.0.2.1@0", "0.0.0.0", "192.0.2.1#a b", ""})
        BOOST_TEST(!read_server_text(bad).has_value(), bad);
}

BOOST_AUTO_TEST_CASE(each_option_is_listed_once_with_its_use) {
    BOOST_TEST(find_unbound_option("server", "frobnicate") == nullptr);
    BOOST_TEST(find_unbound_option("stub-zone", "port") == nullptr);
    BOOST_TEST(find_unbound_option("server", "stub-addr") == nullptr);
    const UnboundKnown* const known = find_unbound_option("server", "ratelimit-for-domain");
    BOOST_REQUIRE(known != nullptr);
    BOOST_TEST((known->use == UnboundUse::extra && known->args == 2));
    BOOST_TEST(find_unbound_option("dnstap", "dnstap-enable") != nullptr);
}

}  // namespace
