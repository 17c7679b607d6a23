// The image against a naive matcher of strings, on random rules and names from a small alphabet, so
// that names nest, touch and repeat.
#include <boost/test/unit_test.hpp>
#include <random>
#include <regex>
#include <string>
#include <vector>

#include "matchers/name_matcher.h"
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

}  // namespace

BOOST_AUTO_TEST_SUITE(differential)

BOOST_AUTO_TEST_CASE(random_rules_and_names_equal_the_naive_matcher) {
    for (unsigned seed = 1; seed <= 60; ++seed)
        compare_once(seed);
}

BOOST_AUTO_TEST_SUITE_END()
