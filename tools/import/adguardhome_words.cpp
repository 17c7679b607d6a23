#include "tools/import/adguardhome_words.h"

namespace steer::importing {

bool is_on(std::string_view text) {
    return lowered(text) == "true";
}
bool is_unset(const Tree& value) {
    return value.is_empty() || value.text == "0" || value.text == "0s" || value.text == "null" ||
           lowered(value.text) == "false";
}

const Tree& below(const Tree& tree, std::string_view key) {
    static const Tree kNoTree;
    const Tree* const at = tree.find(key);
    return at == nullptr ? kNoTree : *at;
}

std::string client_prefix(std::string_view text) {
    const auto slash = text.find('/');
    const std::string_view address = text.substr(0, slash);
    const bool v4 = is_v4(address);
    if (!v4 && !is_v6(address)) return {};
    if (slash == std::string_view::npos) return std::string(text);
    return parse_number(text.substr(slash + 1), v4 ? 32 : 128) ? std::string(text) : std::string();
}

std::string client_mac(std::string_view text) {
    std::string hex;
    for (const char c : lowered(text)) {
        if (c == ':' || c == '-' || c == '.') continue;
        if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) return {};
        hex += c;
    }
    if (hex.size() != 12) return {};
    std::string out;
    for (std::size_t i = 0; i < hex.size(); i += 2)
        out += (i == 0 ? "" : ":") + hex.substr(i, 2);
    return out;
}

std::vector<std::pair<std::string, int>> tree_texts(const Tree& value) {
    std::vector<std::pair<std::string, int>> out;
    if (value.is_text() && !value.text.empty()) out.emplace_back(value.text, value.line);
    for (const Tree& item : value.items)
        if (item.is_text()) out.emplace_back(std::string(trimmed(item.text)), item.line);
    return out;
}

std::string group_tag(std::string_view name) {
    constexpr std::size_t kLongest = 40;
    std::string out;
    for (const char c : lowered(tag_of(name))) {
        if (out.size() == kLongest) break;
        if (c != '_' || (!out.empty() && out.back() != '_')) out += c;
    }
    while (out.ends_with('_'))
        out.pop_back();
    return out.empty() ? "group" : out;
}

}  // namespace steer::importing
