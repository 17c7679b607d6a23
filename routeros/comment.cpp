#include "routeros/comment.h"

#include <algorithm>

#include "matchers/text.h"

namespace steer::routeros {

namespace {

constexpr std::size_t kLongestName = 253;  // of a name without escapes

bool is_plain(char c) {
    return c > ' ' && c <= '~' && c != ';' && c != '=';
}

std::string escaped(std::string_view name) {
    if (name.size() > 1 && name.ends_with('.')) name.remove_suffix(1);
    std::string out;
    for (const char c : name) {
        const std::size_t size = is_plain(c) ? 1 : 4;
        if (out.size() + size > kLongestName) break;
        if (is_plain(c)) {
            out += c;
            continue;
        }
        const unsigned byte = static_cast<unsigned char>(c);
        out += '\\';
        for (const unsigned weight : {100U, 10U, 1U}) {
            out += static_cast<char>('0' + byte / weight % 10);
        }
    }
    return out;
}

}  // namespace

std::string row_comment(std::string_view prefix, std::string_view tag, RowKind kind,
                        std::string_view name) {
    std::string out;
    if (!prefix.empty()) out.append(prefix).append(";");
    out.append("pg=").append(tag);
    out.append(kind == RowKind::persistent ? ";kind=P" : ";kind=D");
    if (kind == RowKind::dynamic) out.append(";dm=").append(escaped(name));
    return out;
}

std::optional<CommentFacts> parse_comment(std::string_view prefix, std::string_view comment) {
    if (!prefix.empty()) {
        if (!comment.starts_with(prefix)) return std::nullopt;
        comment.remove_prefix(prefix.size());
        if (!comment.starts_with(';')) return std::nullopt;
    }
    CommentFacts facts{};
    bool has_tag = false, has_kind = false;
    while (!comment.empty()) {
        const auto end = std::min(comment.find(';'), comment.size());
        const auto token = matchers::trimmed(comment.substr(0, end));
        comment.remove_prefix(std::min(end + 1, comment.size()));
        const auto equals = token.find('=');
        if (equals == token.npos) continue;
        const auto key = matchers::trimmed(token.substr(0, equals));
        const auto value = matchers::trimmed(token.substr(equals + 1));
        if (key == "pg") {
            facts.tag = value;
            has_tag = true;
        } else if (key == "kind") {
            has_kind = value == "D" || value == "P";
            facts.kind = value == "P" ? RowKind::persistent : RowKind::dynamic;
        } else if (key == "dm") {
            facts.name = value;
        }
    }
    if (!has_tag || !has_kind) return std::nullopt;
    return facts;
}

bool is_of_a_predecessor(std::string_view comment) {
    return parse_comment({}, comment).has_value();
}

}  // namespace steer::routeros
