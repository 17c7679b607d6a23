#include "matchers/list/name_list.h"

#include <algorithm>
#include <array>
#include <utility>

#include "matchers/foreign_lines.h"
#include "matchers/list/adguard_list.h"
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
    return {std::move(read.list), read.left_out, {}};
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
    std::array<std::size_t, static_cast<std::size_t>(kLastForm) + 1> votes{};
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

// Types have no place in a set of names; any name of one will do.
std::optional<std::uint16_t> any_type(std::string_view /*name*/) {
    return 1;
}

// `count` exceptions of AdGuard, the first one at `line`. Without them a set would have names that the file's author took
// out.
Error refused_exceptions(std::size_t count, std::string_view file, int line) {
    return {(count == 1 ? std::string("the list has an exception of AdGuard (@@)")
                        : "the list has " + std::to_string(count) +
                              " exceptions of AdGuard (@@), the first one here") +
                ", which a set of names does not support: use a plugin of type 'adguard_rule'",
            std::string(file), line};
}

// Exceptions among lines of another form.
std::optional<Error> stray_exceptions(std::string_view bytes, std::string_view file) {
    std::size_t count = 0;
    int first = 0;
    Lines lines(bytes);
    while (const auto line = lines.next()) {
        if (line->text.starts_with("@@") && count++ == 0) first = line->number;
    }
    if (count == 0) return std::nullopt;
    return refused_exceptions(count, file, first);
}

// The rules that block.
NameList read_adguard_names(std::string_view bytes, std::string_view file) {
    auto read = read_adguard(bytes, file, any_type);
    apply_badfilters(read.rules);
    NameList out{{{}, std::move(read.bad)}, read.left_out, {}};
    std::size_t exceptions = 0;
    int first = 0;
    for (AdguardRule& rule : read.rules) {
        if (rule.exception) {
            if (exceptions++ == 0) first = rule.line;
        } else if (!rule.types.empty() || !rule.other_types.empty()) {
            out.list.bad.leave_out("$dnstype", rule.line);
        } else if (!rule.unless.empty()) {
            out.list.bad.leave_out("$denyallow", rule.line);
        } else {
            out.list.rules.push_back({std::move(rule.rule), rule.line});
        }
    }
    if (exceptions > 0) out.refused = refused_exceptions(exceptions, file, first);
    return out;
}

NameList read_form(std::string_view bytes, std::string_view file, ListForm form,
                   const ReadBeside& read_beside) {
    switch (form) {
        case ListForm::hosts: {
            auto read = read_hosts(bytes, file);
            return {std::move(read.list), read.left_out, {}};
        }
        case ListForm::adlist:
            return read_adlist(bytes, file);
        case ListForm::dnsmasq:
            return read_dnsmasq(bytes, file);
        case ListForm::rpz:
        case ListForm::rpz_passthru:
            return read_rpz(bytes, file, form == ListForm::rpz_passthru);
        case ListForm::v2fly:
            return read_v2fly(bytes, file, read_beside);
        case ListForm::clash:
        case ListForm::surge:
        case ListForm::quantumult:
        case ListForm::smartdns:
            return read_proxy_list(bytes, file, form);
        case ListForm::adguard:
            return read_adguard_names(bytes, file);
        case ListForm::automatic:
        case ListForm::rules:
            break;
    }
    return {read_rules(bytes, file, RuleKind::domain), 0, {}};
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
                    const ReadBeside& read_beside) {
    const bool is_guessed = form == ListForm::automatic;
    if (is_guessed) form = guess_form(bytes);
    if (auto error = not_utf8(bytes)) {
        NameList out{{{}, BadLines(file)}, 0, {}, form};
        out.list.bad.add(*std::move(error), 1);
        return out;
    }
    NameList out = read_form(bytes, file, form, read_beside);
    const bool has_owners = form == ListForm::rpz || form == ListForm::rpz_passthru;
    // With a form that a person named, an exception is a line of no use among others.
    if (is_guessed && form != ListForm::adguard && !has_owners)
        out.refused = stray_exceptions(bytes, file);
    out.form = form;
    return out;
}

}  // namespace steer::matchers
