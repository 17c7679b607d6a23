#include "bird_reply.h"

#include <algorithm>
#include <utility>

namespace steerctl {
namespace {

constexpr std::size_t kCode = 4;  // digits

// The code of "0011-…" and "0011 …"; -1: the line has none.
int code_of(std::string_view line) {
    if (line.size() <= kCode || (line[kCode] != '-' && line[kCode] != ' ')) return -1;
    int code = 0;
    for (const char c : line.substr(0, kCode)) {
        if (c < '0' || c > '9') return -1;
        code = code * 10 + (c - '0');
    }
    return code;
}

}  // namespace

std::string BirdReply::text() const {
    std::string all;
    for (const std::string& line : lines)
        all.append(all.empty() ? "" : ", ").append(line);
    return all;
}

BirdReader::State BirdReader::take(std::string_view bytes, BirdReply& reply) {
    taken_ += bytes.size();
    if (taken_ > kMaxBytes) return State::garbage;
    rest_ += bytes;
    for (std::size_t end = 0; (end = rest_.find('\n')) != rest_.npos; rest_.erase(0, end + 1)) {
        const std::string_view line = std::string_view(rest_).substr(0, end);
        if (line.starts_with(' ')) {
            reply_.lines.emplace_back(line.substr(1));
            continue;
        }
        const int code = code_of(line);
        if (code < 0) return State::garbage;
        const std::string_view text = line.substr(kCode + 1);
        const bool is_last = line[kCode] == ' ';
        if (!text.empty()) reply_.lines.emplace_back(text);
        if (!is_last) continue;
        reply_.code = code;
        reply = std::exchange(reply_, {});
        rest_.clear();
        taken_ = 0;
        return State::complete;
    }
    return State::incomplete;
}

std::string bird_command(bool enables, std::string_view protocol) {
    const bool is_bad = protocol.empty() || std::ranges::any_of(protocol, [](char c) {
                            return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == 0x7f;
                        });
    if (is_bad) return {};
    return std::string(enables ? "enable" : "disable") + " \"" + std::string(protocol) + "\"\n";
}

}  // namespace steerctl
