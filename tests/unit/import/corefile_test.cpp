// The Corefile's syntax.
#include <boost/test/unit_test.hpp>

#include "tools/import/corefile.h"
#include "tools/import/corefile_import.h"
#include "tools/import/corefile_record.h"
#include "tools/import/records.h"

using namespace steer::importing;

namespace {

std::optional<std::string> environment(const std::string& name) {
    return name == "UP" ? std::optional<std::string>("192.0.2.1") : std::nullopt;
}

std::string text_of(const std::vector<Directive>& body) {
    std::string out;
    for (const Directive& d : body) {
        out += d.name;
        for (const std::string& arg : d.args)
            out += " " + arg;
        if (!d.body.empty()) out += "{" + text_of(d.body) + "}";
        out += ";";
    }
    return out;
}

std::string all_blocks(std::string_view text) {
    const Corefile read = read_corefile(text, environment);
    if (read.failure) return std::to_string(read.failure->line) + ": " + read.failure->text;
    std::string out;
    for (const ServerBlock& block : read.blocks) {
        for (const std::string& key : block.keys)
            out += key + ",";
        out += "[" + text_of(block.body) + "]";
    }
    return out;
}

BOOST_AUTO_TEST_CASE(blocks_and_directives_are_parsed) {
    BOOST_TEST(all_blocks(".:53 {\n  log\n  forward . 1.1.1.1 {\n    policy random\n  }\n}\n") ==
               ".:53,[log;forward . 1.1.1.1{policy random;};]");
    BOOST_TEST(all_blocks("a, b:54,\nc {\n}\nd {\n log # no\n}") == "a,b:54,c,[]d,[log;]");
    BOOST_TEST(all_blocks(".\nlog\nerrors\n") == ".,[log;errors;]");
    BOOST_TEST(all_blocks(". {\n x \"a b\" \"q\\\"q\" \"{\"\n}") == ".,[x a b q\"q {;]");
}

BOOST_AUTO_TEST_CASE(snippets_and_variables_are_expanded) {
    BOOST_TEST(all_blocks("(s) {\n log\n}\n. {\n import s\n errors\n}\n") == ".,[log;errors;]");
    BOOST_TEST(all_blocks(". {\n forward . {$UP} {$NONE:9.9.9.9} {%UP%}:54\n}") ==
               ".,[forward . 192.0.2.1 9.9.9.9 192.0.2.1:54;]");
    const Corefile read = read_corefile(". {\n import gone\n cache {$NONE}\n}", environment);
    BOOST_TEST(read.notes.size() == 2U);
}

BOOST_AUTO_TEST_CASE(invalid_files_are_refused_with_their_line) {
    BOOST_TEST(all_blocks("") == "0: has no server block");
    BOOST_TEST(all_blocks(". {\n log\n") == "2: the '{' of line 1 has no '}'");
    BOOST_TEST(all_blocks(". {\n}\nb\nlog\n").starts_with("3: expected '{' after 'b'"));
    BOOST_TEST(all_blocks("{\n}\n") == "1: a zone is missing before '{'");
    BOOST_TEST(all_blocks(". {\n x \"a\n}") == "2: the quote that begins here is not closed");
    std::string deep = ". {\n";
    for (int i = 0; i < 100; ++i)
        deep += "a {\n";
    BOOST_TEST(all_blocks(deep).ends_with("braces are nested more than 16 deep"));
}

// Each snippet imports the one before it twice: 2^40 lines without a limit.
BOOST_AUTO_TEST_CASE(snippets_do_not_grow_without_end) {
    std::string text = "(s0) {\n log\n}\n";
    for (int i = 1; i <= 40; ++i) {
        const std::string before = std::to_string(i - 1);
        text +=
            "(s" + std::to_string(i) + ") {\n import s" + before + "\n import s" + before + "\n}\n";
    }
    BOOST_TEST(
        all_blocks(text + ". {\n import s40\n}\n").ends_with("imports more than 100000 words"));
}

// A configuration has at most 32 entries; more different ports are named.
BOOST_AUTO_TEST_CASE(sequences_above_the_limit_are_left_out_with_a_note) {
    std::string text;
    for (int i = 1; i <= 34; ++i)
        text += "z" + std::to_string(i) + ".example:" + std::to_string(1000 + i) +
                " {\n forward . 192.0.2.1\n}\n";
    const Imported made =
        import_corefile(text, "x", environment, [](const auto&) { return false; });
    BOOST_TEST(!made.failure.has_value());
    BOOST_TEST(made.yaml.find("entry: main_32, listen: \":1032\"") != std::string::npos);
    BOOST_TEST(made.yaml.find("1033") == made.yaml.find("port 1033 is not imported") + 5);
    BOOST_TEST(made.notes.size() == 2U);
}

// The YAML, and behind it the notes, each in one line.
std::string yaml_of(const std::string& body, const std::string& keys = ".") {
    const Imported made =
        import_corefile(keys + " {\n" + body + "\n forward . 192.0.2.1\n cache\n}\n", "x",
                        environment, [](const auto& path) { return path == "/zones/db"; });
    BOOST_TEST(!made.failure.has_value());
    std::string out = made.yaml;
    for (const Note& note : made.notes)
        out += note.text + "\n";
    return out;
}

// Where the YAML has the text.
std::size_t place_in(const std::string& yaml, std::string_view text) {
    const auto at = yaml.find(text);
    BOOST_TEST_CONTEXT(yaml) {
        BOOST_TEST(at != std::string::npos, text);
    }
    return at;
}

bool has(const std::string& yaml, std::string_view text) {
    return yaml.find(text) != std::string::npos;
}

BOOST_AUTO_TEST_CASE(acl_decides_before_the_cache) {
    const std::string yaml = yaml_of(
        " acl corp.example {\n allow net 192.168.0.0/16 2001:db8::/32\n BLOCK type A AAAA net *\n "
        "filter TYPE ANY NET 10.0.0.1\n drop\n }");
    place_in(
        yaml,
        R"(["qname domain:corp.example", "client_ip 192.168.0.0/16 2001:db8::/32"], exec: return })");
    place_in(yaml, R"(["qname domain:corp.example", "qtype A AAAA"], exec: "reject REFUSED" })");
    place_in(yaml,
             R"("qtype ANY", "client_ip 10.0.0.1"], exec: "black_hole nodata short_circuit" })");
    place_in(yaml, R"({ matches: "qname domain:corp.example", exec: drop })");
    BOOST_TEST(place_in(yaml, R"(- exec: "jump acl")") < place_in(yaml, "- exec: $answers"));
}

// An allow without its network would allow everybody.
BOOST_AUTO_TEST_CASE(rules_of_acl_without_a_readable_word_are_left_out) {
    const std::string yaml = yaml_of(
        " acl {\n allow net 10.0.0.0/33\n block type NOPE A net 192.0.2.1/32\n allow x\n }");
    BOOST_TEST(!has(yaml, "exec: return"));
    place_in(yaml, "'10.0.0.0/33' of 'acl' is not imported: it is no address or prefix");
    place_in(yaml, "'allow net 10.0.0.0/33' is not imported: its 'type' or 'net' has no word left");
    place_in(yaml, R"(["qtype A", "client_ip 192.0.2.1/32"], exec: "reject REFUSED" })");
    place_in(yaml, "'NOPE' of 'acl' is not imported: it is no known type");
}

BOOST_AUTO_TEST_CASE(hosts_answer_their_names) {
    const std::string yaml = yaml_of(
        " hosts {\n 192.0.2.7 a.example b.example\n 2001:db8::7 a.example\n ttl 60\n fallthrough\n "
        "}");
    place_in(yaml, R"(- "full:a.example 192.0.2.7 2001:db8::7")");
    place_in(yaml, "7.2.0.192.in-addr.arpa. 60 IN PTR b.example.");
    place_in(yaml, "the file '/etc/hosts' of 'hosts' is not imported");
    place_in(yaml, R"({ matches: has_resp, exec: "ttl 60" })");
    // Other types of its names: no data.
    place_in(yaml,
             R"(["qname full:a.example full:b.example", "!qtype PTR"], exec: "black_hole nodata)");
    BOOST_TEST(place_in(yaml, "- exec: $answers") < place_in(yaml, "- exec: $hosts"));
    BOOST_TEST(place_in(yaml, "- exec: $hosts") < place_in(yaml, "- exec: $reverse"));
    BOOST_TEST(!has(yaml, "SERVFAIL"));
}

BOOST_AUTO_TEST_CASE(hosts_without_fallthrough_fail_other_names) {
    const std::string yaml =
        yaml_of(" hosts /etc/h lan {\n 192.0.2.7 a.lan b.example\n no_reverse\n }");
    place_in(yaml, R"({ matches: ["qname domain:lan", "!qtype PTR"], exec: "reject SERVFAIL" })");
    place_in(yaml, "'b.example' is outside the zones of 'hosts'");
    BOOST_TEST(!has(yaml, "in-addr.arpa"));
    place_in(
        yaml_of(" hosts /etc/h lan {\n 192.0.2.7 *.lan\n fallthrough in.lan\n }"),
        R"(["qname domain:lan", "!qtype PTR", "!qname domain:in.lan"], exec: "reject SERVFAIL")");
}

BOOST_AUTO_TEST_CASE(a_zone_file_becomes_arbitrary_below_its_zone) {
    const std::string yaml = yaml_of(" file /zones/db example.org. 10.0.0.0/8");
    place_in(yaml, "origin: example.org\n");
    place_in(yaml, "origin: \"10.in-addr.arpa\"\n");
    place_in(yaml, R"(- "/zones/db")");
    place_in(yaml,
             R"("qname domain:example.org domain:10.in-addr.arpa", exec: "black_hole nodata)");
    place_in(yaml_of(" file /gone.db example.org"), "the file is not on this machine");
    // Relative to root; in the zones of the block.
    place_in(yaml_of(" root /zones\n file db", "example.net"), "origin: example.net\n");
}

// What stands behind the last plugin that lets a query pass is not written.
BOOST_AUTO_TEST_CASE(nothing_follows_what_answers_all) {
    const std::string yaml = yaml_of(" file /zones/db", "example.net");
    BOOST_TEST(!has(yaml, "- exec: $forward"));
}

BOOST_AUTO_TEST_CASE(a_template_becomes_what_it_answers) {
    place_in(yaml_of(" template IN AAAA {\n rcode NOERROR\n }"),
             R"({ matches: "qtype AAAA", exec: "black_hole nodata short_circuit" })");
    place_in(yaml_of(" template ANY ANY invalid {\n rcode NXDOMAIN\n }"),
             R"({ matches: "qname domain:invalid", exec: "black_hole nxdomain short_circuit" })");
    place_in(yaml_of(" template IN A dev.example {\n answer \"{{ .Name }} 60 IN A 192.0.2.8\"\n }"),
             R"(["qname domain:dev.example", "qtype A"], exec: "black_hole 192.0.2.8" })");
    place_in(yaml_of(" template IN MX {\n answer \"a.example. 60 IN MX 10 b.example.\"\n }"),
             R"(- "a.example. 60 IN MX 10 b.example.")");
    place_in(yaml_of(" template IN A {\n match ^x[0-9]+[.]example[.]$\n rcode REFUSED\n }"),
             R"(["qtype A", "qname regexp:^x[0-9]+[.]example$"], exec: "reject REFUSED" })");
}

BOOST_AUTO_TEST_CASE(a_template_that_computes_is_named) {
    const std::string noted = yaml_of(
        " template IN A {\n match ^ip-(?P<a>[0-9]+)[.]x[.]$\n answer \"{{ .Name }} 60 IN A "
        "10.0.0.{{ .Group.a }}\"\n }");
    place_in(noted, "has variables other than .Name, .Zone, .Class and .Type");
    BOOST_TEST(!has(noted, "SERVFAIL"));
    for (const char* const answer :
         {"x. 60 IN A 192.0.2.300", "x. 60 IN MX b.", "x. 60 IN LOC 1", "{{ .Name }} IN MX 1 b.",
          "x. A \\\"", "x!y. A 192.0.2.1", "x. CNAME y."}) {
        const std::string yaml =
            yaml_of(" template IN ANY {\n answer \"" + std::string(answer) + "\"\n }");
        place_in(yaml, "'template IN ANY' is not imported: its answer");
        BOOST_TEST(!has(yaml, "type: arbitrary"), answer);
    }
}

// Hyperscan refuses '$' in the middle.
BOOST_AUTO_TEST_CASE(expressions_find_names_without_a_last_dot) {
    constexpr std::pair<const char*, const char*> kCases[] = {
        {"^a\\.b\\.$", "^a\\.b$"},
        {"^a[.]b[.]$", "^a[.]b$"},
        {"a.$", "a$"},
        {"a\\.", "a(?:\\.|$)"},
        {"(a\\.b\\.)", "(a\\.b(?:\\.|$))"},
        {"(x\\.|y\\.)$", "(x|y)$"},
        {"(x\\.|y)z\\.$", "(x\\.|y)z$"},
        {"(x[.](y|z)?)+$", "(x[.](y|z)?)+$"},
        {"^(.*\\.)?cs\\.local\\.$", "^(.*\\.)?cs\\.local$"},
        {"(^|[.])ip-(?P<a>[0-9]*)[.]example[.]$", "(^|[.])ip-(?P<a>[0-9]*)[.]example$"},
        {"example\\.com\\.(dc1\\.example\\.com\\.)$", "example\\.com\\.(dc1\\.example\\.com)$"},
        {".*\\.a[.)]+$", ".*\\.a[.)]+$"},
    };
    for (const auto& [foreign, made] : kCases) {
        BOOST_TEST(without_final_dot(foreign) == made);
        BOOST_TEST(expression_error(made) == "", made);
    }
    for (const char* const odd : {"\\", "[", "[.", "a|", "|", ")", "("})
        BOOST_TEST(without_final_dot(odd) == odd);
}

BOOST_AUTO_TEST_CASE(chaos_becomes_texts_of_policy) {
    const std::string yaml = yaml_of(" chaos v1 a@example b\n nsid");
    place_in(yaml, "policy:\n  version_bind: v1\n  id_server: hostname\n  nsid: hostname\n");
    place_in(yaml, R"(- "authors.bind. 0 CH TXT \"a@example\"")");
    place_in(yaml_of(" chaos"), "version_bind: SteerDNS\n");
    place_in(yaml_of(" chaos OFF"), "'OFF' of 'chaos' is not imported: expected 1..64 printable");
    const std::string other = yaml_of(" chaos v1", "example.org");
    place_in(other, "the plugin 'chaos' is not imported: its names");
    BOOST_TEST(!has(other, "\npolicy:"));
}

// One text for all servers.
BOOST_AUTO_TEST_CASE(the_second_text_of_chaos_is_named) {
    const std::string yaml = yaml_of(" chaos v1\n}\nversion.bind {\n chaos v2", ".");
    place_in(yaml, "version_bind: v1\n");
    place_in(yaml, "'v2' of 'chaos' is not imported: 'version_bind' of 'policy' holds for all");
}

BOOST_AUTO_TEST_CASE(durations_of_corefiles_are_parsed) {
    BOOST_TEST(parse_go_time("1m30s").value() == 90'000U);
    BOOST_TEST(parse_go_time("500ms").value() == 500U);
    BOOST_TEST(parse_go_time("5").value() == 5000U);
    for (const char* const bad : {"", "m", "5x", "-1s"})
        BOOST_TEST(!parse_go_time(bad).has_value(), bad);
}

}  // namespace
