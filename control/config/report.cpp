#include "control/config/report.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "control/config/settings.h"

namespace steer::config {
namespace {

// Insertions, deletions, substitutions and swaps of neighbours (Damerau-Levenshtein, adjacent
// form).
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before_last, last(b.size() + 1), row(b.size() + 1);
    std::iota(last.begin(), last.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before_last[j - 2] + 1);
            }
        }
        before_last = std::exchange(last, row);
    }
    return last[b.size()];
}

}  // namespace

std::string Report::place(int line) const {
    const std::size_t source = source_of(line);
    const std::string number = std::to_string(line_in_source(line));
    return source == 0 ? "line " + number : included_.at(source - 1) + ":" + number;
}

// A sentence is one line, whatever the configuration or the YAML library put into it.
void Report::add(std::vector<Error>& to, const std::string& file, int line,
                 std::string text) const {
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    }
    const std::size_t source = file == file_ ? source_of(line) : 0;
    const std::string& named = source == 0 ? file : included_.at(source - 1);
    if (source > 0) line = line_in_source(line);
    const bool known = std::any_of(to.begin(), to.end(), [&](const Error& e) {
        return e.line == line && e.text == text && e.file == named;
    });
    if (!known) to.push_back({std::move(text), named, line});
}

void Report::unknown(int line, const std::string& what) {
    error(line, "unknown " + what);
    has_unknown_names_ = true;
}

void Report::error_in(const std::string& file, int line, std::string text) {
    add(errors_, file, line, std::move(text));
}

void Report::warn_in(const std::string& file, int line, std::string text) {
    add(warnings_, file, line, std::move(text));
}

std::vector<Error> Report::take(std::vector<Error>& from) const {
    // 0: the configuration, then what it includes, in the order of reading; last all other files.
    const auto rank = [this](const Error& e) {
        if (e.file == file_) return std::size_t{0};
        const auto at = std::find(included_.begin(), included_.end(), e.file);
        return static_cast<std::size_t>(at - included_.begin()) + 1;
    };
    std::stable_sort(from.begin(), from.end(), [&](const Error& a, const Error& b) {
        const std::size_t rank_a = rank(a), rank_b = rank(b);
        if (rank_a != rank_b) return rank_a < rank_b;
        return rank_a <= included_.size() && a.line < b.line;
    });
    return std::exchange(from, {});
}

std::vector<Error> Report::take_errors() {
    return take(errors_);
}
std::vector<Error> Report::take_warnings() {
    return take(warnings_);
}

std::string did_you_mean(std::string_view written,
                         const std::vector<std::string_view>& candidates) {
    constexpr std::size_t kLongest = 64;  // of what is compared: the cost is its square
    if (written.empty() || written.size() > kLongest) return {};
    std::size_t best = written.size() < 4 ? 2 : std::max<std::size_t>(2, written.size() / 3) + 1;
    std::string_view nearest;
    for (const auto candidate : candidates) {
        if (candidate.size() > kLongest) continue;
        const std::size_t d = distance(written, candidate);
        if (d < best) {
            best = d;
            nearest = candidate;
        }
    }
    return nearest.empty() ? std::string{} : ": did you mean '" + std::string(nearest) + "'?";
}

}  // namespace steer::config
