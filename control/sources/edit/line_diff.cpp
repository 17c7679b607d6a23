#include "control/sources/edit/line_diff.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace steer::edit {
namespace {

// Cells of the table of common lines.
constexpr std::size_t kMostCells = 4'000'000;

using Lines = std::vector<std::string_view>;

Lines lines_of(std::string_view text) {
    Lines out;
    while (!text.empty()) {
        const auto end = text.find('\n');
        out.push_back(text.substr(0, end));
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
    }
    return out;
}

// The longest common subsequence, backwards: cell (i, j) is for the lines from i and j on.
void diff_middle(const Lines& before, const Lines& after, std::vector<DiffLine>& out) {
    const std::size_t width = after.size() + 1;
    std::vector<std::uint32_t> common((before.size() + 1) * width);
    for (std::size_t i = before.size(); i-- > 0;) {
        for (std::size_t j = after.size(); j-- > 0;) {
            common[i * width + j] = before[i] == after[j] ? common[(i + 1) * width + j + 1] + 1
                                                          : std::max(common[(i + 1) * width + j],
                                                                     common[i * width + j + 1]);
        }
    }
    std::size_t i = 0, j = 0;
    while (i < before.size() || j < after.size()) {
        if (i < before.size() && j < after.size() && before[i] == after[j]) {
            out.push_back({' ', before[i++]});
            ++j;
        } else if (j == after.size() || (i < before.size() && common[(i + 1) * width + j] >=
                                                                  common[i * width + j + 1])) {
            out.push_back({'-', before[i++]});
        } else {
            out.push_back({'+', after[j++]});
        }
    }
}

}  // namespace

std::vector<DiffLine> diff_lines(std::string_view before_text, std::string_view after_text) {
    Lines before = lines_of(before_text), after = lines_of(after_text);
    std::vector<DiffLine> out;
    const auto begin = std::mismatch(before.begin(), before.end(), after.begin(), after.end());
    for (auto at = before.begin(); at != begin.first; ++at)
        out.push_back({' ', *at});
    before.erase(before.begin(), begin.first);
    after.erase(after.begin(), begin.second);
    Lines tail;
    while (!before.empty() && !after.empty() && before.back() == after.back()) {
        tail.push_back(before.back());
        before.pop_back();
        after.pop_back();
    }
    if ((before.size() + 1) * (after.size() + 1) <= kMostCells) {
        diff_middle(before, after, out);
    } else {
        for (const auto line : before)
            out.push_back({'-', line});
        for (const auto line : after)
            out.push_back({'+', line});
    }
    for (auto at = tail.rbegin(); at != tail.rend(); ++at)
        out.push_back({' ', *at});
    return out;
}

}  // namespace steer::edit
