#include "matchers/list/name_list.h"

#include <algorithm>
#include <array>
#include <utility>

#include "matchers/foreign_lines.h"
#include "matchers/list/hosts_list.h"
#include "matchers/list/lines.h"
#include "matchers/list/proxy_list.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::matchers {
namespace {

std::string_view first_word(std::string_view text) {
    return text.substr(0, std::min(text.find_first_of(kBlank), text.size()));
}

// Hosts lines and bare names; each is an exact name.
NameList read_adlist(std::string_view bytes, std::string_view file) {
    std::string as_hosts;
    Lines lines(bytes);
    while (const auto line = lines.next()) {
        const std::string_view text = without_comment(line->text);
        if (!text.empty() && first_word(text).size() == text.size()) as_hosts += "0.0.0.0 ";
        as_hosts.append(line->text);
        as_hosts += '\n';
    }
    auto read = read_hosts(as_hosts, file);
    return {std::move(read.list), read.left_out};
}

// A line that occurs only in v2fly's data/: an include, or attributes and affiliations behind a rule.
bool is_v2fly_line(std::string_view text) {
    std::string_view rest = text.substr(0, text.find('#'));
    const std::string_view rule = take_word(rest);
    if (rule.starts_with("include:")) return true;
    if (rule.starts_with("regexp:") || rest.empty()) return false;
    while (!rest.empty()) {
        const std::string_view word = take_word(rest);
        if (word.size() < 2 || (word.front() != '@' && word.front() != '&')) return false;
    }
    return true;
}

bool has_v2fly_line(std::string_view bytes) {
    Lines lines(bytes);
    while (const auto line = lines.next()) {
        if (!line->text.starts_with('#') && is_v2fly_line(line->text)) return true;
    }
    return false;
}

bool is_policy_zone(std::string_view text) {
    const auto word = first_word(text);
    return word == "$TTL" || word == "$ORIGIN" || text.find(" SOA ") != std::string_view::npos;
}

// "regexp:^ad^$": signs in it say nothing.
bool has_our_prefix(std::string_view text) {
    constexpr std::array<std::string_view, 4> kPrefixes{"domain:", "full:", "keyword:", "regexp:"};
    return std::ranges::any_of(kPrefixes, [&](auto prefix) { return text.starts_with(prefix); });
}

// The form that a line has and no other list.
std::optional<ListForm> form_of_line(std::string_view text) {
    if (has_our_prefix(text)) return std::nullopt;
    const auto word = first_word(text);
    if (word.size() < text.size() && IpAddress::parse(word)) return ListForm::hosts;
    if (is_adguard_line(text)) return ListForm::adguard;
    if (dnsmasq_line(text).is_assignment()) return ListForm::dnsmasq;
    return proxy_form(text);
}

// Lines that say nothing about the form.
bool is_neutral(std::string_view text) {
    return text.empty() || text.starts_with('#') || text.starts_with(';') ||
           text.starts_with('!') || text.starts_with("//");
}

// More than half of the lines have it.
std::optional<ListForm> form_of_most(std::string_view bytes) {
    std::array<std::size_t, kListForms.size() + 1> votes{};  // by form; the first one is automatic
    std::size_t all = 0;
    Lines lines(bytes);
    while (const auto line = lines.next()) {
        if (is_neutral(line->text)) continue;
        ++all;
        if (const auto form = form_of_line(line->text)) ++votes[static_cast<std::size_t>(*form)];
    }
    const auto most = std::ranges::max_element(votes);
    if (*most * 2 <= all) return std::nullopt;
    return static_cast<ListForm>(most - votes.begin());
}

// Exceptions of AdGuard among lines of another form. Without them the set would have names that the file's author took
// out.
class StrayExceptions {
  public:
    explicit StrayExceptions(std::string_view bytes) : bytes_(bytes) {
        Lines lines(bytes);
        while (const auto line = lines.next()) {
            if (line->text.starts_with("@@")) lines_.push_back(*line);
        }
    }
    [[nodiscard]] bool empty() const { return lines_.empty(); }
    // The file with blanks in their place.
    [[nodiscard]] std::string others() const {
        std::string out(bytes_);
        for (const Line& line : lines_)
            out.replace(static_cast<std::size_t>(line.text.data() - bytes_.data()),
                        line.text.size(), line.text.size(), ' ');
        return out;
    }
    void add_to(NameList& out, TypeNumber type_number) const {
        for (const Line& line : lines_) {
            std::optional<std::string> foreign;
            auto rule = read_adguard_rule(line.text, type_number, foreign);
            if (!rule && foreign) {
                out.list.bad.leave_out(*foreign, line.number);
            } else if (!rule) {
                out.list.bad.add(std::move(rule).error(), line.number);
            } else if (*rule) {
                (*rule)->line = line.number;
                out.add(**std::move(rule));
            }
        }
    }

  private:
    std::string_view bytes_;
    std::vector<Line> lines_;
};

NameList read_adguard_names(std::string_view bytes, std::string_view file, TypeNumber type_number) {
    auto read = read_adguard(bytes, file, type_number);
    NameList out{{{}, std::move(read.bad)}, read.left_out};
    for (AdguardRule& rule : read.rules)
        out.add(std::move(rule));
    return out;
}

NameList read_form(std::string_view bytes, std::string_view file, ListForm form,
                   const ListContext& context) {
    switch (form) {
        case ListForm::hosts: {
            auto read = read_hosts(bytes, file);
            return {std::move(read.list), read.left_out};
        }
        case ListForm::adlist:
            return read_adlist(bytes, file);
        case ListForm::dnsmasq:
            return read_dnsmasq(bytes, file);
        case ListForm::rpz:
        case ListForm::rpz_passthru:
            return read_rpz(bytes, file, form == ListForm::rpz_passthru);
        case ListForm::v2fly:
            return read_v2fly(bytes, file, context.read_beside);
        case ListForm::clash:
        case ListForm::surge:
        case ListForm::quantumult:
        case ListForm::smartdns:
            return read_proxy_list(bytes, file, form);
        case ListForm::adguard:
            return read_adguard_names(bytes, file, context.type_number);
        case ListForm::automatic:
        case ListForm::rules:
            break;
    }
    return {read_rules(bytes, file, RuleKind::domain)};
}

}  // namespace

ListForm guess_form(std::string_view bytes) {
    Lines lines(bytes);
    while (const auto line = lines.next()) {
        if (is_neutral(line->text)) continue;
        if (is_policy_zone(line->text)) return ListForm::rpz;
        break;
    }
    if (const auto form = form_of_most(bytes)) return *form;
    return has_v2fly_line(bytes) ? ListForm::v2fly : ListForm::rules;
}

NameList read_names(std::string_view bytes, std::string_view file, ListForm form,
                    const ListContext& context) {
    const bool is_guessed = form == ListForm::automatic;
    if (is_guessed) form = guess_form(bytes);
    if (auto error = not_utf8(bytes)) {
        NameList out{{{}, BadLines(file)}, 0, {}, form};
        out.list.bad.add(*std::move(error), 1);
        return out;
    }
    const auto read = [&](std::string_view lines) {
        NameList out = read_form(lines, file, form, context);
        out.form = form;
        return out;
    };
    const bool has_owners = form == ListForm::rpz || form == ListForm::rpz_passthru;
    // In a list whose format is configured, an exception of another format is an invalid line.
    if (!is_guessed || form == ListForm::adguard || has_owners) return read(bytes);
    const StrayExceptions exceptions(bytes);
    if (exceptions.empty()) return read(bytes);
    NameList out = read(exceptions.others());
    exceptions.add_to(out, context.type_number);
    return out;
}

void NameList::add(AdguardRule rule) {
    if (rule.is_plain()) {
        list.rules.push_back({std::move(rule.rule), rule.line});
    } else {
        rules.push_back(std::move(rule));
    }
}

}  // namespace steer::matchers
