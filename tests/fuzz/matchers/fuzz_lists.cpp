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
    const auto adguard = m::read_adguard(bytes, "fuzz", type_number);
    for (const auto& rule : adguard.rules)
        check(rule.rule, rule.line);
    const m::BadFilters bad(adguard.rules);
    for (const auto& rule : adguard.rules)
        require(!bad.empty() || !bad.removes(rule), "a badfilter alone takes rules out");
    const auto itself = [bytes](std::string_view name) -> std::optional<std::string> {
        if (name.size() > 1) return std::nullopt;
        return std::string(bytes);
    };
    for (const bool is_adguard : {false, true}) {
        const auto list = m::read_block_list(bytes, "fuzz", type_number, is_adguard);
        for (const auto& [rule, line] : list.list.rules)
            check(rule, line);
        for (const auto& rule : list.rules) {
            check(rule.rule, rule.line);
            require(is_adguard || !rule.exception, "an exception counts among AdGuard's rules");
        }
    }
    require(m::guess_form(bytes) != m::ListForm::automatic, "a file has a form");
    for (std::size_t form = 0; form <= m::kListForms.size(); ++form) {
        const auto names =
            m::read_names(bytes, "fuzz", static_cast<m::ListForm>(form), {itself, type_number});
        for (const auto& [rule, line] : names.list.rules)
            check(rule, line);
        for (const auto& rule : names.rules) {
            check(rule.rule, rule.line);
            require(!rule.is_plain(), "a name that is always in the set is in its list");
        }
    }
    return 0;
}
