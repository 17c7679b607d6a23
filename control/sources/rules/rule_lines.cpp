#include "control/sources/rules/rule_lines.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "matchers/list/lines.h"

namespace steer::rules {

Result<RuleLines> RuleLines::open(const std::string& file) {
    std::error_code status;
    const auto kind = std::filesystem::status(file, status).type();
    if (status) return Error{status.message()};
    if (kind != std::filesystem::file_type::regular) return Error{"not a regular file"};
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    if (!in) return Error{std::strerror(errno)};
    std::array<char, 4> start{};
    in.read(start.data(), start.size());
    const bool is_wide =
        matchers::not_utf8({start.data(), static_cast<std::size_t>(in.gcount())}).has_value();
    in.clear();
    in.seekg(0);
    RuleLines lines(std::move(in));
    lines.is_over_ = is_wide;
    return {boost::system::in_place_value, std::move(lines)};
}

std::optional<RuleLines::Line> RuleLines::next() {
    if (is_over_ || !std::getline(in_, line_)) return std::nullopt;
    const std::uint64_t at = at_;
    at_ += line_.size() + 1;
    return Line{line_, at, ++number_};
}

void RuleLines::go_to(std::uint64_t at, int number) {
    in_.clear();
    in_.seekg(static_cast<std::streamoff>(at));
    at_ = at;
    number_ = number - 1;
}

std::optional<LineRule> rule_of(std::string_view bytes) {
    const auto line = matchers::Lines(bytes).next();
    if (!line) return std::nullopt;
    const bool is_regexp = line->text.starts_with("regexp:");
    const std::string_view text = is_regexp ? line->text : matchers::without_comment(line->text);
    if (text.empty()) return std::nullopt;
    auto rule = matchers::parse_rule(text, matchers::RuleKind::domain);
    if (!rule) return std::nullopt;
    return LineRule{*std::move(rule), std::string(text)};
}

}  // namespace steer::rules
