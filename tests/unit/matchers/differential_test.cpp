// The image against a naive matcher of strings, on random rules and names from a small alphabet, so
// that names nest, touch and repeat.
#include <boost/test/unit_test.hpp>
#include <random>
#include <regex>
#include <string>
#include <vector>

#include "matchers/name_matcher.h"
#include "matchers/pattern/literal.h"
#include "matchers/pattern/text_test.h"
#include "wire_names.h"

namespace m = steer::matchers;
using steer::Error;

namespace {

struct NaiveRule {
    m::SetId set;
    m::RuleKind kind;
    std::string text;
    std::regex expression;

    [[nodiscard]] bool holds(const std::string& name) const {
        switch (kind) {
            case m::RuleKind::full:
                return name == text;
            case m::RuleKind::domain:
                return name == text || name.ends_with("." + text);
            case m::RuleKind::keyword:
                return name.find(text) != std::string::npos;
            case m::RuleKind::regexp:
                return std::regex_search(name, expression);
        }
        return false;
    }
};

class Source {
  public:
    explicit Source(unsigned seed) : random_(seed) {}

    unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }

    std::string label() {
        std::string text;
        for (unsigned n = 1 + below(below(8) == 0 ? 20 : 3); n > 0; --n)
            text += letter();
        return text;
    }
    std::string name() {
        std::string text = label();
        for (unsigned n = below(5); n > 0; --n)
            text += "." + label();
        return text;
    }
    NaiveRule rule() {
        NaiveRule rule{
            static_cast<m::SetId>(below(80)), static_cast<m::RuleKind>(below(4)), {}, {}};
        switch (rule.kind) {
            case m::RuleKind::keyword:
                rule.text = label() + (below(3) == 0 ? "." + label() : "");
                break;
            case m::RuleKind::regexp:
                rule.text = expression();
                rule.expression = std::regex(rule.text);
                break;
            default:
                rule.text = name();
        }
        return rule;
    }

  private:
    char letter() { return "abc-1"[below(5)]; }
    std::string expression() {
        switch (below(8)) {
            case 5:
                return "(?:" + label() + label() + "|" + label() + "a+b)" + label() + "?";
            case 6:
                return label() + label() + label() + "{1,2}";
            case 7:
                return "(" + label() + label() + ")?" + label() + "[1a]" + label() + label();
            case 0:
                return "^" + label() + "\\." + label();
            case 1:
                return "(^|\\.)" + label() + "\\." + label() + "$";
            case 2:
                return label() + "[0-9]+" + label();
            case 3:
                return "^[^.]+\\." + label() + "$";
            default:
                return "(" + label() + "|" + label() + ")" + "[a-b]{1,2}\\.";
        }
    }
    std::mt19937 random_;
};

void compare_once(unsigned seed) {
    Source source(seed);
    std::vector<NaiveRule> rules;
    m::NameMatcherBuilder builder;
    for (unsigned i = 1 + source.below(60); i > 0; --i) {
        rules.push_back(source.rule());
        builder.add(rules.back().set, {rules.back().kind, rules.back().text});
    }
    std::vector<Error> errors, warnings;
    const auto image = builder.build(errors, warnings);
    BOOST_REQUIRE(image);
    m::NameMatcher::Scratch scratch;
    BOOST_REQUIRE(image->prepare(scratch));
    for (int i = 0; i < 300; ++i) {
        std::string name = source.name();
        if (source.below(2) == 0) {  // near a rule
            const NaiveRule& near = rules[source.below(static_cast<unsigned>(rules.size()))];
            if (near.kind != m::RuleKind::regexp)
                name = source.label() + (i % 2 ? "." : "") + near.text;
        }
        m::TagBits expected;
        for (const NaiveRule& rule : rules) {
            if (rule.holds(name)) expected.set(rule.set);
        }
        const bool same = image->match(steer::test::wire(name), scratch) == expected;
        BOOST_REQUIRE_MESSAGE(same, "seed " << seed << ", name " << name);
    }
}

// Expressions from pieces that mean much or nothing, by what stands beside them; and names of the same pieces, which
// are legal in a label (RFC 2181 11).
class PatternSource {
  public:
    explicit PatternSource(unsigned seed) : random_(seed) {}

    std::string expression() {
        static constexpr std::string_view kPieces[] = {
            "ab",   "ba",   "a",    "b",     "12",    "{",    "}",    "{2",    "{2}", "{1,2}",
            "{2,",  "{,2",  "{,2}", "{0}",   "{2|",   "|",    "|",    "(",     ")",   "(?:",
            "(?i)", "[ab]", "[",    "]",     "[^a",   "[]b]", "[a{]", "[0-9]", "\\d", "\\.",
            "\\{",  "\\Q",  "\\E",  "[\\Q",  "\\x61", "\\x",  "?",    "*",     "+",   "^",
            "$",    ".",    "-",    "a{3}b", "\\b",   "\\|",  "(ab)?"};
        std::string text;
        for (unsigned n = 2 + below(7); n > 0; --n)
            text += kPieces[below(std::size(kPieces))];
        return text;
    }
    // Made of the expression's own text, or of any text.
    std::string name(std::string_view expression) {
        static constexpr std::string_view kPieces[] = {"ab", "ba", "a", "b",  "aa", "1", "12",
                                                       "{2", "}",  "-", "|",  "{",  ".", "abb",
                                                       "]",  "q",  "e", ",2", "(",  ")"};
        std::string text;
        for (unsigned n = 1 + below(6); n > 0; --n) {
            if (below(2) == 0 && !expression.empty()) {
                const std::size_t from = below(static_cast<unsigned>(expression.size()));
                text += expression.substr(from, 1 + below(4));
            } else {
                text += kPieces[below(std::size(kPieces))];
            }
        }
        // As a worker sees it: in lower case, and no empty label.
        std::string out;
        for (const char c : text) {
            if (c == '.' && (out.empty() || out.back() == '.')) continue;
            out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        }
        while (out.ends_with('.'))
            out.pop_back();
        return out;
    }

  private:
    unsigned below(std::size_t n) { return static_cast<unsigned>(random_() % n); }
    std::mt19937 random_;
};

struct Compared {
    unsigned matches = 0, with_literals = 0;
};

// One expression beside Hyperscan, which sees it alone and each name whole.
void compare_with_hyperscan(unsigned seed, Compared& so_far) {
    PatternSource source(seed);
    const std::string text = source.expression();
    m::NameMatcherBuilder builder;
    constexpr m::SetId kSet = 3;
    builder.add(kSet, {m::RuleKind::regexp, text});
    std::vector<Error> errors, warnings;
    const auto image = builder.build(errors, warnings);
    auto alone = m::TextTest::build(m::TextOperation::regexp, {"(?i)" + text});
    if (!image || !alone) return;  // most are no expression at all
    BOOST_REQUIRE(alone->prepare(1).has_value());
    m::NameMatcher::Scratch scratch;
    BOOST_REQUIRE(image->prepare(scratch));
    m::TagBits expected;
    expected.set(kSet);
    so_far.with_literals += !m::required_literals(text).empty();
    for (int i = 0; i < 200; ++i) {
        const std::string name = source.name(text);
        const bool holds = alone->holds(name, 0);
        so_far.matches += holds;
        const bool same =
            image->match(steer::test::wire(name), scratch) == (holds ? expected : m::TagBits{});
        BOOST_REQUIRE_MESSAGE(same, "seed " << seed << ", regexp " << text << ", name " << name
                                            << ": Hyperscan says " << holds);
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(differential)

BOOST_AUTO_TEST_CASE(random_patterns_match_what_hyperscan_alone_matches) {
    Compared all;
    for (unsigned seed = 1; seed <= 2000; ++seed)
        compare_with_hyperscan(seed, all);
    BOOST_TEST(all.matches > 5'000U);
    BOOST_TEST(all.with_literals > 100U);
}

BOOST_AUTO_TEST_CASE(braces_that_are_no_quantifier_are_text) {
    m::NameMatcherBuilder builder;
    builder.add(0, {m::RuleKind::regexp, "ads{2|banner[0-9]{2}track"});
    std::vector<Error> errors, warnings;
    const auto image = builder.build(errors, warnings);
    BOOST_REQUIRE(image);
    m::NameMatcher::Scratch scratch;
    BOOST_REQUIRE(image->prepare(scratch));
    m::TagBits expected;
    expected.set(0);
    for (const char* name : {"banner12track.example", "ads{2.example"})
        BOOST_TEST((image->match(steer::test::wire(name), scratch) == expected), name);
}

BOOST_AUTO_TEST_CASE(random_rules_and_names_equal_the_naive_matcher) {
    for (unsigned seed = 1; seed <= 60; ++seed)
        compare_once(seed);
}

BOOST_AUTO_TEST_SUITE_END()
