// Any bytes as a list in each of the formats: the readers come back, and what they take is a rule to the image.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "matchers/domain/builder.h"
#include "matchers/list/adguard_list.h"
#include "matchers/list/block_list.h"
#include "matchers/list/name_list.h"
#include "require.h"

namespace m = steer::matchers;

namespace {

void check(const m::Rule& rule, int line) {
    require(!rule.text.empty() && line > 0, "a rule has a text and a line");
    if (rule.kind == m::RuleKind::keyword || rule.kind == m::RuleKind::regexp) return;
    m::SuffixBuilder suffixes;
    require(suffixes.add(0, rule.kind, rule.text), "a rule's name fits the image");
}

std::optional<std::uint16_t> type_number(std::string_view name) {
    if (name.size() != 1) return std::nullopt;
    return static_cast<std::uint16_t>(name.front());
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the fuzzer's name for it
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    auto adguard = m::read_adguard(bytes, "fuzz", type_number);
    const std::size_t before = adguard.rules.size();
    for (const auto& rule : adguard.rules)
        check(rule.rule, rule.line);
    m::apply_badfilters(adguard.rules);
    require(adguard.rules.size() <= before, "a badfilter only takes out");
    const auto itself = [bytes](std::string_view name) -> std::optional<std::string> {
        if (name.size() > 1) return std::nullopt;
        return std::string(bytes);
    };
    for (const bool is_adguard : {false, true}) {
        const auto list = m::read_block_list(bytes, "fuzz", type_number, is_adguard);
        for (const auto& [rule, line] : list.names.rules)
            check(rule, line);
        for (const auto& rule : list.rules) {
            check(rule.rule, rule.line);
            require(is_adguard || !rule.exception, "an exception counts among AdGuard's rules");
        }
    }
    require(m::guess_form(bytes) != m::ListForm::automatic, "a file has a form");
    for (int form = 0; form <= static_cast<int>(m::kLastForm); ++form) {
        const auto names = m::read_names(bytes, "fuzz", static_cast<m::ListForm>(form), itself);
        for (const auto& [rule, line] : names.list.rules)
            check(rule, line);
    }
    return 0;
}
