// redirect: replaces the queried name by rules.
#include <algorithm>
#include <map>
#include <utility>

#include "control/config/lists/entry_lines.h"
#include "control/config/lists/list_source.h"
#include "control/config/lists/safe_search.h"
#include "control/config/plugin_type.h"
#include "control/config/values.h"
#include "dataplane/dns/name.h"
#include "matchers/list/lines.h"
#include "matchers/name_text.h"
#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::config {
namespace {

struct Engine {
    const SafeSearchEngine* engine;
    int line;
};

struct RedirectArgs {
    std::vector<Text> rules, files;
    std::vector<Engine> engines;
    bool strict = false;
    std::optional<std::uint32_t> max_shrink;
    bool ready = true;
};

void read_engines(Reading& in, const Node& node, const Place& place, RedirectArgs& out) {
    for (const Text& word : read_texts(in, node, place)) {
        Node one;
        one.kind = Node::Kind::text;
        one.text = word.value;
        const Place here{place.key, place.owner, word.line};
        if (const auto index = read_choice(in, one, here, safe_search_words()))
            out.engines.push_back({&safe_search_engines()[*index], word.line});
    }
}

constexpr std::array<Row<RedirectArgs>, 6> kRedirectRows{{
    {"rules",
     Own<RedirectArgs>{"list of `RULE TARGET`", read_list<&RedirectArgs::rules, RedirectArgs>},
     "none", "",
     "rules, as in `domain:example.org www.example.net`\nA rule without a prefix is a `full:` "
     "rule."},
    {"files",
     Files<RedirectArgs>{"list of paths and URLs", read_list<&RedirectArgs::files, RedirectArgs>},
     "none", "",
     "files with one rule and its target per line; `#` or `!` starts a comment\nA line may also "
     "have "
     "AdGuard's form, as in `|www.example.org^$dnsrewrite=NOERROR;CNAME;www.example.net`."},
    {"safe_search", Own<RedirectArgs>{"list of engines", read_engines}, "none", "",
     "search engines whose names with safe search answer for their names\nThe engines are "
     "`google`, `bing`, `duckduckgo`, `youtube`, `youtube_moderate`, `brave`, `ecosia` and "
     "`pixabay`. Their names are as of November 2026. `rules` and `files` apply before them, so "
     "that a list by URL can renew them."},
    {"strict", &RedirectArgs::strict, "false", "",
     "reject a file that contains an invalid line\nBy default an invalid line is skipped with a "
     "warning."},
    max_shrink_row<RedirectArgs>(),
    list_ready_row<RedirectArgs>(),
}};

using Wire = std::vector<std::uint8_t>;

struct RedirectEntry {
    matchers::Rule rule;
    Wire target;
};

constexpr std::size_t kMostTargetsOfList = 10'000;
constexpr std::string_view kRewrite = "$dnsrewrite=";

// "|NAME^$dnsrewrite=NOERROR;CNAME;TARGET", and the short "$dnsrewrite=TARGET", as "RULE TARGET".
// "||" is for all names below, too.
Result<std::string> of_adguard(std::string_view text, std::size_t at) {
    std::string_view name = text.substr(0, at), value = text.substr(at + kRewrite.size());
    std::string out = name.starts_with("||") ? "domain:" : "full:";
    name.remove_prefix(std::min(name.find_first_not_of('|'), name.size()));
    while (name.ends_with('^') || name.ends_with('|'))
        name.remove_suffix(1);
    constexpr std::string_view kAlias = "noerror;cname;";
    const std::string head = matchers::lowered(value.substr(0, kAlias.size()));
    if (head == kAlias) {
        value.remove_prefix(kAlias.size());
    } else if (value.find(';') != std::string_view::npos || value == "NXDOMAIN" ||
               value == "REFUSED" || value == "SERVFAIL" || value == "NOERROR") {
        return Error{matchers::quoted(value) +
                     " is no other name: 'redirect' takes '$dnsrewrite=NOERROR;CNAME;NAME' only"};
    }
    out.append(name).append(" ").append(value);
    return Result<std::string>(boost::system::in_place_value, std::move(out));
}

// "RULE TARGET", or a line of AdGuard.
Result<RedirectEntry> parse_redirect_entry(std::string_view text) {
    std::string converted;
    if (const auto at = text.find(kRewrite); at != std::string_view::npos) {
        auto plain = of_adguard(text, at);
        if (!plain) return plain.error();
        converted = *std::move(plain);
        text = converted;
    }
    const std::string_view first = take_word(text);
    auto rule = matchers::parse_rule(first, matchers::RuleKind::full);
    if (!rule) return rule.error();
    const auto words = split_words(matchers::without_comment(text));
    if (words.size() != 1) {
        return Error{matchers::quoted(first) + " has " +
                     (words.empty() ? "no target: add the name to resolve instead"
                                    : std::to_string(words.size()) + " targets: write one")};
    }
    const std::string_view target = words.front();
    if (IpAddress::parse(target)) {
        return Error{matchers::quoted(target) + " after " + matchers::quoted(first) +
                     " is an IP address: a redirect needs a name; use 'hosts' for addresses"};
    }
    const auto name = matchers::parse_name(target, {.alone = true});
    auto wire = name ? dns::name_from_text(*name) : std::nullopt;
    if (!wire) {
        return Error{matchers::quoted(target) + " after " + matchers::quoted(first) +
                     " is not a domain name: " + name.error().text};
    }
    RedirectEntry out{*std::move(rule), *std::move(wire)};
    if (out.rule.kind == matchers::RuleKind::full && out.rule.text == *name)
        return Error{matchers::quoted(first) +
                     " redirects to itself: remove it, or write another target"};
    return out;
}

class RedirectReader {
  public:
    RedirectReader(Reading& in, std::string owner) : in_(in), owner_(std::move(owner)) {}

    void rule(const Text& text) {
        auto entry = parse_redirect_entry(text.value);
        if (entry) return add(*std::move(entry), 0, text.line);
        const Place place{"rules", owner_, text.line};
        in_.report().error(text.line, place.name() + ": " + entry.error().text);
    }

    void file(const Text& path, bool strict, const ListUse& use) {
        const Place place{"files", owner_, path.line};
        const auto list = read_list_source(in_, path, place, use);
        if (!list) return;
        const std::size_t before = out.targets.size();
        read_entry_lines(
            in_, list->bytes, list->file, strict, place, parse_redirect_entry,
            [this](auto entry, std::uint32_t number, int line) {
                add(std::move(entry), number, line);
            },
            "#!");
        // All redirects share a table. A list from others must not fill it.
        if (const std::size_t made = out.targets.size() - before; made > kMostTargetsOfList) {
            in_.report().error(path.line, place.name() + ": " + matchers::quoted(path.value) +
                                              " leads to " + std::to_string(made) +
                                              " different names, and at most " +
                                              std::to_string(kMostTargetsOfList) +
                                              " are allowed: write a shorter list");
        }
    }

    void engine(const Engine& of) {
        const auto target = dns::name_from_text(of.engine->target);
        for (std::string& name : names_of(*of.engine))
            add({{matchers::RuleKind::full, std::move(name)}, *target}, 0, of.line);
    }

    Redirect out;

  private:
    void add(RedirectEntry entry, std::uint32_t file, int line) {
        const auto [at, fresh] =
            known_.try_emplace(entry.target, static_cast<std::uint32_t>(out.targets.size()));
        if (fresh) out.targets.push_back(std::move(entry.target));
        out.rules.push_back({std::move(entry.rule), file, line, at->second});
    }

    Reading& in_;
    std::string owner_;
    std::map<Wire, std::uint32_t> known_;
};

void read_redirect(Reading& in, const Node* node, Plugin& plugin) {
    RedirectArgs args;
    Node empty;
    const std::string owner = owner_of(plugin);
    const Node& map = args_or_empty(node, plugin, empty);
    read_rows(in, map, kRedirectRows, owner, args);
    RedirectReader reader(in, owner);
    for (const Text& rule : args.rules)
        reader.rule(rule);
    for (const Text& file : args.files)
        reader.file(file, args.strict, use_of(plugin, map));
    for (const Engine& engine : args.engines)
        reader.engine(engine);
    reader.out.strict = args.strict;
    warn_without(in, map, plugin, {"rules", "files", "safe_search"}, "it changes no name");
    plugin.args = std::move(reader.out);
}

}  // namespace

const PluginType kRedirectType{
    "redirect",
    Role::executor,
    "Resolves another name in place of the queried one (class IN). It wraps the rest of its "
    "sequence, in which rules, caches and upstreams see the other name.\n\nThe answer is returned "
    "for the queried name, starting with `name CNAME target` (TTL 1). Failures are returned "
    "unchanged. The first matching rule applies: `rules`, then `files`, then `safe_search`. Two "
    "kinds of names are not redirected: a name that is its own target, and a name whose only "
    "answer is stale.",
    "",
    "",
    [] { return row_texts(kRedirectRows); },
    read_redirect,
    nullptr};

}  // namespace steer::config
