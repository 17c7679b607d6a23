// The Corefile's syntax.
#include <boost/test/unit_test.hpp>

#include "tools/import/corefile.h"
#include "tools/import/corefile_import.h"

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

BOOST_AUTO_TEST_CASE(durations_of_corefiles_are_parsed) {
    BOOST_TEST(parse_go_time("1m30s").value() == 90'000U);
    BOOST_TEST(parse_go_time("500ms").value() == 500U);
    BOOST_TEST(parse_go_time("5").value() == 5000U);
    for (const char* const bad : {"", "m", "5x", "-1s"})
        BOOST_TEST(!parse_go_time(bad).has_value(), bad);
}

}  // namespace
