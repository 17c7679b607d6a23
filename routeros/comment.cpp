#include "routeros/comment.h"

#include <algorithm>
#include <charconv>

#include "matchers/text.h"
#include "routeros/fleet_role.h"

namespace steer::routeros {

namespace {

constexpr std::size_t kLongestName = 253;  // of a name without escapes
constexpr std::string_view kWriterPrefix = "steerdns;";

bool is_plain(char c) {
    return c > ' ' && c <= '~' && c != ';' && c != '=';
}

// Calls f(key, value) for each `key=value` between semicolons.
template <class F>
void for_each_field(std::string_view comment, F&& f) {
    while (!comment.empty()) {
        const auto end = std::min(comment.find(';'), comment.size());
        const auto token = matchers::trimmed(comment.substr(0, end));
        comment.remove_prefix(std::min(end + 1, comment.size()));
        const auto equals = token.find('=');
        if (equals == token.npos) continue;
        f(matchers::trimmed(token.substr(0, equals)), matchers::trimmed(token.substr(equals + 1)));
    }
}

}  // namespace

std::string escaped_name(std::string_view name) {
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

std::string row_comment(std::string_view prefix, std::string_view tag, RowKind kind,
                        std::string_view name) {
    std::string out;
    if (!prefix.empty()) out.append(prefix).append(";");
    out.append("pg=").append(tag);
    out.append(kind == RowKind::persistent ? ";kind=P" : ";kind=D");
    if (kind == RowKind::dynamic) out.append(";dm=").append(escaped_name(name));
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
    for_each_field(comment, [&](std::string_view key, std::string_view value) {
        if (key == "pg") {
            facts.tag = value;
            has_tag = true;
        } else if (key == "kind") {
            has_kind = value == "D" || value == "P";
            facts.kind = value == "P" ? RowKind::persistent : RowKind::dynamic;
        } else if (key == "dm") {
            facts.name = value;
        }
    });
    if (!has_tag || !has_kind) return std::nullopt;
    return facts;
}

std::string writer_comment(std::string_view fleet, std::string_view box, std::uint64_t token) {
    std::string out(kWriterPrefix);
    out.append("fleet=").append(escaped_name(fleet)).append(";writer=").append(escaped_name(box));
    return out.append(";token=").append(std::to_string(token));
}

std::optional<WriterFacts> parse_writer_comment(std::string_view comment) {
    if (!comment.starts_with(kWriterPrefix)) return std::nullopt;
    WriterFacts facts;
    for_each_field(comment.substr(kWriterPrefix.size()),
                   [&](std::string_view key, std::string_view value) {
                       if (key == "fleet") facts.fleet = value;
                       if (key == "writer") facts.box = value;
                       if (key != "token") return;
                       const char* const last = value.data() + value.size();
                       const auto [end, error] = std::from_chars(value.data(), last, facts.token);
                       const bool valid = error == std::errc{} && end == last;
                       if (!valid || facts.token > kHighestToken) facts.token = 0;
                   });
    if (facts.fleet.empty() || facts.box.empty()) return std::nullopt;
    return facts;
}

bool is_of_a_predecessor(std::string_view comment) {
    return parse_comment({}, comment).has_value();
}

}  // namespace steer::routeros
