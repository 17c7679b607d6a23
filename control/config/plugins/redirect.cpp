// redirect: replaces the queried name by rules.
#include <algorithm>
#include <map>
#include <utility>

#include "control/config/lists/entry_lines.h"
#include "control/config/plugin_type.h"
#include "control/config/values.h"
#include "dataplane/dns/name.h"
#include "matchers/list/lines.h"
#include "matchers/name_text.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

struct RedirectArgs {
    std::vector<Text> rules, files;
    bool strict = false;
};

constexpr std::array<Row<RedirectArgs>, 3> kRedirectRows{{
    {"rules",
     Own<RedirectArgs>{"list of `RULE TARGET`", read_list<&RedirectArgs::rules, RedirectArgs>},
     "none", "",
     "rules, as in `domain:example.org www.example.net`\nA rule without a prefix is a `full:` "
     "rule."},
    {"files", Own<RedirectArgs>{"list of paths", read_list<&RedirectArgs::files, RedirectArgs>},
     "none", "", "files with one rule and its target per line; `#` starts a comment"},
    {"strict", &RedirectArgs::strict, "false", "",
     "reject a file that contains an invalid line\nBy default an invalid line is skipped with a "
     "warning."},
}};

using Wire = std::vector<std::uint8_t>;

struct RedirectEntry {
    matchers::Rule rule;
    Wire target;
};

// "RULE TARGET"
Result<RedirectEntry> parse_redirect_entry(std::string_view text) {
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

    void file(const Text& path, bool strict) {
        const std::string file = in_.resolve(path.value, path.line);
        const Place place{"files", owner_, path.line};
        const auto bytes = in_.read_file(file, place);
        if (!bytes) return;
        read_entry_lines(in_, *bytes, file, strict, place, parse_redirect_entry,
                         [this](auto entry, std::uint32_t number, int line) {
                             add(std::move(entry), number, line);
                         });
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
        reader.file(file, args.strict);
    reader.out.strict = args.strict;
    warn_without(in, map, plugin, {"rules", "files"}, "it changes no name");
    plugin.args = std::move(reader.out);
}

}  // namespace

const PluginType kRedirectType{
    "redirect",
    Role::executor,
    "Resolves another name in place of the queried one (class IN). It wraps the rest of its "
    "sequence, in which rules, caches and upstreams see the other name.\n\nThe answer is returned "
    "for the queried name, starting with `name CNAME target` (TTL 1). Failures are returned "
    "unchanged. The first matching rule applies, `rules` before `files`. Two kinds of names are "
    "not redirected: a name that is its own target, and a name whose only answer is stale.",
    "",
    "",
    [] { return row_texts(kRedirectRows); },
    read_redirect,
    nullptr};

}  // namespace steer::config
