// Rule lists of Clash, mihomo, Surge, Quantumult X and smartdns, as names.
//
// Rules that are not about names (addresses, programs, other lists) are left out and counted by kind.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "matchers/foreign_lines.h"
#include "matchers/list/lines.h"
#include "matchers/list/name_list.h"
#include "matchers/list/proxy_list.h"
#include "matchers/name_text.h"
#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::matchers {
namespace {

std::string key_of(std::string_view text) {
    return lowered(trimmed(text.substr(0, text.find(','))));
}

bool is_word(std::string_view text) {
    return !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, [](char c) {
        return is_letter(c) || is_digit(c) || c == '-';
    });
}

std::string upper(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return text;
}

std::string_view without_quotes(std::string_view text) {
    const bool quoted_text = text.size() >= 2 && (text.front() == '\'' || text.front() == '"') &&
                             text.back() == text.front();
    return quoted_text ? text.substr(1, text.size() - 2) : text;
}

bool is_proxy_comment(std::string_view text) {
    return text.empty() || text.starts_with('#') || text.starts_with(';') || text.starts_with("//");
}
// Comments stand behind a blank: "#" in all, "//" in Surge.
std::string_view without_note(std::string_view text) {
    text = without_comment(text);
    const auto slashes = text.find(" //");
    return trimmed(text.substr(0, slashes));
}

// "  - '+.example.org'" of a payload: the text of the item.
std::string_view item_of_yaml(std::string_view text) {
    if (!text.starts_with('-')) return text;
    const std::string_view rest = text.substr(1);
    if (rest.empty() || kBlank.find(rest.front()) == std::string_view::npos) return text;
    return without_quotes(trimmed(rest));
}

class ProxyReader {
  public:
    ProxyReader(std::string_view file, ListForm form) : out_{{{}, BadLines(file)}}, form_(form) {}

    void read(std::string_view bytes) {
        Lines lines(bytes);
        while (const auto line = lines.next()) {
            if (is_proxy_comment(line->text)) continue;
            number_ = line->number;
            read_line(without_note(line->text));
        }
    }
    NameList take() && { return std::move(out_); }

  private:
    void read_line(std::string_view text) {
        if (form_ == ListForm::smartdns) return smartdns_line(text);
        if (form_ == ListForm::clash) {
            if (text == "payload:" || text == "rules:") return;
            text = item_of_yaml(text);
        }
        if (text.find(',') != std::string_view::npos) return keyed(text);
        if (form_ == ListForm::quantumult)
            return bad("expected 'host-suffix, NAME, POLICY' and not " + quoted(text));
        name_line(text);
    }

    void keyed(std::string_view text) {
        const ProxyKey* const known = proxy_key(text);
        if (known == nullptr || !known->kind) {
            const std::string key = key_of(text);
            if (is_word(key)) return out_.list.bad.leave_out(upper(key), number_);
            return bad(quoted(text) + " is not a rule: expected KEY,VALUE or one name");
        }
        const RuleKind kind = *known->kind;
        const std::string_view value = proxy_value(text, kind);
        if (kind == RuleKind::regexp) {
            if (value.empty()) return bad("no expression in " + quoted(text));
            out_.list.rules.push_back({{kind, std::string(value)}, number_});
        } else {
            add(kind, kind == RuleKind::keyword ? parse_keyword(value) : parse_name(value));
        }
    }

    // A list of names alone: exact names, and those with all below.
    void name_line(std::string_view text) {
        if (text.starts_with("+.")) return add(RuleKind::domain, parse_name(text.substr(2)));
        if (text.starts_with('.') && form_ == ListForm::surge)
            return add(RuleKind::domain, parse_name(text.substr(1)));
        if (text.starts_with('.'))
            return bad(quoted(text) +
                       " holds the names below without the name itself in Clash, which a set of "
                       "names does not support: write " +
                       quoted("+" + std::string(text)));
        add(RuleKind::full, parse_name(text));
    }

    // "nameserver /NAME/GROUP", "domain-rules /NAME/ -a ...", or a bare name of a domain-set.
    void smartdns_line(std::string_view text) {
        std::string_view rest = text;
        const std::string_view word = take_word(rest);
        if (rest.empty()) return smartdns_name(word);
        if (!rest.starts_with('/')) return out_.list.bad.leave_out(word, number_);
        rest.remove_prefix(1);
        const auto slash = rest.find('/');
        if (slash == std::string_view::npos)
            return bad("no '/' behind the name in " + quoted(text));
        const std::string_view name = rest.substr(0, slash),
                               value = trimmed(rest.substr(slash + 1));
        if (name.starts_with("domain-set:")) return out_.list.bad.leave_out("domain-set:", number_);
        if (value == "-" || value.starts_with("- "))
            return out_.list.bad.leave_out(std::string(word) + " /NAME/-", number_);
        smartdns_name(name);
    }
    void smartdns_name(std::string_view name) {
        if (name.starts_with("-.")) return add(RuleKind::full, parse_name(name.substr(2)));
        if (name.starts_with('.')) name.remove_prefix(1);
        add(RuleKind::domain, parse_name(name));
    }

    void add(RuleKind kind, Result<std::string> name) {
        if (name) {
            out_.list.rules.push_back({{kind, *std::move(name)}, number_});
        } else {
            out_.list.bad.add(std::move(name).error(), number_);
        }
    }
    void bad(std::string text) { out_.list.bad.add({std::move(text)}, number_); }

    NameList out_;
    ListForm form_;
    int number_ = 0;
};

// "nameserver /", "domain-rules /".
bool is_smartdns_line(std::string_view text) {
    constexpr std::array<std::string_view, 7> kWords{
        "domain-rules", "address", "nameserver", "ipset", "nftset", "cname", "domain-rule"};
    std::string_view rest = text;
    const std::string_view word = take_word(rest);
    return rest.starts_with('/') && std::ranges::find(kWords, word) != kWords.end();
}

}  // namespace

std::optional<ListForm> proxy_form(std::string_view text) {
    if (text == "payload:") return ListForm::clash;
    const std::string_view item = item_of_yaml(text);
    if (item.size() != text.size() || text.starts_with("+.")) return ListForm::clash;
    if (text.find(',') != std::string_view::npos) {
        const ProxyKey* const known = proxy_key(text);
        if (known == nullptr) return std::nullopt;
        return known->is_quantumult_alone ? ListForm::quantumult : ListForm::clash;
    }
    if (is_smartdns_line(text) || text.starts_with("-.") || text.starts_with("*-."))
        return ListForm::smartdns;
    if (text.size() > 1 && text.front() == '.' && text[1] != '.') return ListForm::surge;
    return std::nullopt;
}

NameList read_proxy_list(std::string_view bytes, std::string_view file, ListForm form) {
    ProxyReader reader(file, form);
    reader.read(bytes);
    return std::move(reader).take();
}

}  // namespace steer::matchers
