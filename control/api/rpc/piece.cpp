#include "control/api/rpc/piece.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <utility>

namespace steer::ops {
namespace json = boost::json;
namespace {

constexpr std::size_t kScalar = 8;  // of a number, or of quotes and a comma

std::size_t text_bytes(std::string_view text) {
    const auto is_escaped = [](char c) { return c == '"' || c == '\\'; };
    return kScalar + text.size() +
           static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_escaped));
}

}  // namespace

RpcError lost_place() {
    return {RpcCode::lost_place,
            "the list changed at the place of this cursor: begin again without a cursor"};
}

RpcError bad_cursor() {
    return bad_params(
        "\"cursor\": expected `cursor` of the page before, asked with the same parameters");
}

std::size_t json_bytes(const json::value& value) {
    if (const auto* const text = value.if_string()) return text_bytes({text->data(), text->size()});
    std::size_t bytes = kScalar;
    if (const auto* const rows = value.if_array()) {
        for (const json::value& row : *rows)
            bytes += json_bytes(row);
    } else if (const auto* const members = value.if_object()) {
        for (const auto& [key, member] : *members)
            bytes += text_bytes({key.data(), key.size()}) + json_bytes(member);
    }
    return bytes;
}

void PageRoom::add(json::array& rows, json::value row) {
    count(json_bytes(row));
    rows.push_back(std::move(row));
}

void end_page(json::object& answer, const std::optional<Cursor>& next) {
    if (!next) return;
    answer["more"] = true;
    answer[kCursor] = next->text();
}

std::optional<Cursor> Cursor::from(std::string_view text, std::size_t parts) {
    json::error_code wrong;
    const json::value all = json::parse(text, wrong);
    const auto* const array = wrong ? nullptr : all.if_array();
    if (array == nullptr || array->size() != parts) return std::nullopt;
    Cursor out{};
    for (const json::value& one : *array) {
        if (!one.is_string()) return std::nullopt;
        out.parts_.emplace_back(one.get_string());
    }
    return out;
}

std::string Cursor::text() const {
    return json::serialize(json::array(parts_.begin(), parts_.end()));
}

std::optional<std::uint64_t> Cursor::number(std::size_t part) const {
    const std::string& text = parts_[part];
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [behind, wrong] = std::from_chars(text.data(), end, value);
    return wrong == std::errc{} && behind == end ? std::optional(value) : std::nullopt;
}

// FNV-1a.
std::uint64_t hash_of(std::string_view bytes) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : bytes)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return hash;
}

}  // namespace steer::ops
