// Rule files of any bytes: the reader must come back, and what it takes as a rule must be one to
// the image.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "matchers/domain/builder.h"
#include "matchers/list/prefix_list.h"
#include "matchers/list/rule_list.h"
#include "matchers/pattern/literal.h"
#include "require.h"

namespace m = steer::matchers;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    for (const auto fallback : {m::RuleKind::domain, m::RuleKind::full, m::RuleKind::regexp}) {
        const auto list = m::read_rules(bytes, "fuzz", fallback);
        require((list.bad.count() == 0) == list.bad.errors().empty(),
                "each bad line has its error");
        m::SuffixBuilder suffixes;
        for (const auto& [rule, line] : list.rules) {
            require(!rule.text.empty() && line > 0, "a rule has a text and a line");
            if (rule.kind == m::RuleKind::regexp) {
                require(m::shortest_literal(rule.text) <= rule.text.size(),
                        "a literal is part of its regexp");
                for (const auto& literal : m::required_literals(rule.text))
                    require(!literal.empty() && literal.size() <= rule.text.size(),
                            "what is required is a part as well");
            } else if (rule.kind != m::RuleKind::keyword) {
                require(suffixes.add(0, rule.kind, rule.text), "a rule's name fits the image");
            }
            const auto again = m::parse_rule(rule.text, rule.kind);
            // The rule's text may begin like a kind, or end in dots. Each parse removes one of a keyword's last dots.
            const bool is_other_alone =
                rule.text.find(':') != std::string::npos ||
                (rule.kind == m::RuleKind::keyword && rule.text.ends_with('.'));
            require(is_other_alone || (again && again->text == rule.text),
                    "a parsed rule parses to itself");
        }
        require(suffixes.build().has_value(), "the image builds");
    }
    for (const auto& [prefix, line] : m::read_prefixes(bytes, "fuzz").prefixes) {
        const auto again = m::Prefix::parse(prefix.to_string());
        require(again && again->address == prefix.address && again->length == prefix.length,
                "a prefix's text is the prefix");
    }
    return 0;
}
