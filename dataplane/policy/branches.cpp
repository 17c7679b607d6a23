#include "dataplane/policy/branches.h"

namespace steer {

using Is = Branches::Is;

NextOfBranches next_of_fallback(const Branches& b, const FallbackTerms& terms) noexcept {
    const auto [first, second] = b.is;
    if (first == Is::not_begun) return NextOfBranches::begin_first;
    if (first == Is::answered) return NextOfBranches::take_first;
    const bool its_turn = terms.is_due(first, b.late);
    if (b.failed(0) && !its_turn)
        return first == Is::failed ? NextOfBranches::fail : NextOfBranches::none;
    if (second == Is::not_begun && (its_turn || terms.always_standby))
        return NextOfBranches::begin_second;
    if (second == Is::answered && its_turn) return NextOfBranches::take_second;
    if (!b.failed(0) || !b.failed(1)) return NextOfBranches::wait;
    const bool error = first == Is::failed || second == Is::failed;
    return error ? NextOfBranches::fail : NextOfBranches::none;
}

NextOfBranches next_of_prefer(const Branches& b) noexcept {
    const auto [first, probe] = b.is;
    if (first == Is::not_begun) return NextOfBranches::begin_first;
    if (probe == Is::not_begun) return NextOfBranches::begin_second;
    if (probe == Is::answered) return NextOfBranches::take_second;
    if (first == Is::running || (probe == Is::running && !b.late)) return NextOfBranches::wait;
    return first == Is::failed ? NextOfBranches::fail : NextOfBranches::take_first;
}

NextOfBranches next_of_dns64(const Branches& b, bool translate_all) noexcept {
    const auto [aaaa, a] = b.is;
    if (aaaa == Is::not_begun) return NextOfBranches::begin_first;
    if (aaaa == Is::answered) return NextOfBranches::take_first;
    if (a == Is::not_begun) return NextOfBranches::begin_second;
    if (a == Is::answered && (translate_all || aaaa != Is::running))
        return NextOfBranches::take_second;
    if (aaaa == Is::running || a == Is::running) return NextOfBranches::wait;
    if (a == Is::failed) return NextOfBranches::fail;
    if (aaaa == Is::lacking) return NextOfBranches::take_first;
    if (a == Is::lacking) return NextOfBranches::take_second;
    return aaaa == Is::failed ? NextOfBranches::fail : NextOfBranches::none;
}

}  // namespace steer
