#include "matchers/list/name_list.h"

#include <algorithm>
#include <array>
#include <utility>

#include "matchers/list/hosts_list.h"
#include "matchers/list/lines.h"
#include "matchers/prefix/ip_address.h"
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

}  // namespace

ListForm guess_form(std::string_view bytes) {
    Lines lines(bytes);
    while (const auto line = lines.next()) {
        const std::string_view text = line->text;
        if (text.empty() || text.starts_with('#') || text.starts_with(';')) continue;
        constexpr std::array<std::string_view, 5> kDnsmasq{"address=/", "server=/", "local=/",
                                                           "ipset=/", "nftset=/"};
        const auto word = first_word(text);
        if (word.size() < text.size() && leads_nowhere(word)) return ListForm::hosts;
        if (std::ranges::any_of(kDnsmasq, [&](auto key) { return text.starts_with(key); }))
            return ListForm::dnsmasq;
        if (word == "$TTL" || word == "$ORIGIN" || text.find(" SOA ") != std::string_view::npos)
            return ListForm::rpz;
        break;
    }
    return has_v2fly_line(bytes) ? ListForm::v2fly : ListForm::rules;
}

NameList read_names(std::string_view bytes, std::string_view file, ListForm form,
                    const ReadBeside& read_beside) {
    if (auto error = not_utf8(bytes)) {
        NameList out{{{}, BadLines(file)}, 0};
        out.list.bad.add(*std::move(error), 1);
        return out;
    }
    if (form == ListForm::automatic) form = guess_form(bytes);
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
            return read_v2fly(bytes, file, read_beside);
        case ListForm::automatic:
        case ListForm::rules:
            break;
    }
    return {read_rules(bytes, file, RuleKind::domain), 0};
}

}  // namespace steer::matchers
