// adlist: blocks names of lists, like RouterOS's /ip/dns/adlist.
#include <filesystem>
#include <utility>

#include "control/config/list_source.h"
#include "control/config/plugins/adguard_files.h"
#include "control/config/plugins/name_rules.h"
#include "control/config/plugins/plugin_type.h"
#include "control/config/rules.h"
#include "control/config/url.h"
#include "control/config/values.h"
#include "matchers/list/name_list.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

// Each list is a separate domain_set or adguard_rule.
constexpr std::string_view kAdguard = "adguard";

struct List {
    std::string source, format;
    bool lenient = false;
    std::optional<std::uint32_t> max_shrink;
    bool ready = true;
    int line = 0;
};
struct AdlistArgs {
    std::vector<List> lists;
    std::uint32_t max_names = 5'000'000;
    NameRules allow;
    BlackHole answer{.mode = BlackHoleMode::null};
};

void read_source(Reading& in, const Node& node, const Place& place, List& out) {
    read_value(in, node, place, {}, out.source);
    out.line = place.line;
}
void read_format(Reading& in, const Node& node, const Place& place, List& out) {
    constexpr std::string_view kListFormats = "adlist|hosts|rules|dnsmasq|rpz|adguard";
    if (read_choice(in, node, place, kListFormats)) out.format = node.text;
}

constexpr std::array<Row<List>, 5> kListRows{{
    {"list", Own<List>{"path or URL", read_source}, "required", "", "path or URL of the list"},
    {"format", Own<List>{"one of", read_format}, "(detected)",
     "adlist|hosts|rules|dnsmasq|rpz|adguard",
     "format of the list\n`adlist` is RouterOS's format: `0.0.0.0 NAME` or one name per line, each "
     "for that name only. `adguard` is AdGuard's syntax with exceptions. For the others see "
     "`format` of `domain_set`."},
    {"lenient", &List::lenient, "false", "", "with `rpz`: same as `lenient` of `domain_set`"},
    max_shrink_row<List>(),
    list_ready_row<List>(),
}};

void read_lists(Reading& in, const Node& node, const Place& place, AdlistArgs& out) {
    if (!node.is_list() || node.items.empty()) {
        in.report().error(place.line,
                          place.name() + ": expected a list of paths and URLs, found " +
                              (node.is_list() ? "an empty list" : std::string(node.what())));
        return;
    }
    for (const Node& item : node.items) {
        List list;
        if (item.is_text()) {
            list.source = item.text;
            list.line = item.line;
        } else {
            read_rows(in, item, kListRows, "'lists' of " + std::string(place.owner), list);
        }
        if (!list.source.empty()) out.lists.push_back(std::move(list));
    }
}

void read_allow(Reading& in, const Node& node, const Place& place, AdlistArgs& out) {
    read_name_rules(in, node, place, out.allow);
}

// Like an inline black_hole.
void read_answer(Reading& in, const Node& node, const Place& place, AdlistArgs& out) {
    std::string words;
    if (!read_value(in, node, place, {}, words)) return;
    const PluginType* const type = find_type("black_hole");
    Plugin hole;
    hole.tag = std::string(place.owner);
    hole.type = type->name;
    type->read_quick(in, words, place.line, hole);
    if (const auto* made = std::get_if<BlackHole>(&hole.args)) out.answer = *made;
}

constexpr std::array<Row<AdlistArgs>, 4> kAdlistRows{{
    {"lists", Own<AdlistArgs>{"list of paths, URLs and maps", read_lists}, "required", "",
     "the block lists: paths, URLs, or maps with a `format`\nExamples: `- "
     "https://lists.example/hosts`, `- {list: ads.txt, format: adguard}`. Formats: `adlist` "
     "(RouterOS's), `hosts`, `rules`, `dnsmasq`, `rpz`, `adguard`. Without `format`, a list is "
     "`adguard` if most of its rules are in AdGuard's syntax (`||NAME^`, `@@`, `!`, `[Adblock`), "
     "otherwise `adlist`. URLs are fetched as set in `control.fetch`; the last good copy is kept."},
    {"allow", Own<AdlistArgs>{"list of rules, `$TAG`, `&FILE`", read_allow}, "none", "",
     "names that are never blocked"},
    {"max_names", &AdlistArgs::max_names, "5000000", "1..100000000",
     "maximum rules of one list\nA longer list is rejected, at a reload and when it is fetched, "
     "and the previous version stays in use. `control.fetch.max_size` limits the size of a list in "
     "a file."},
    {"answer", Own<AdlistArgs>{"`null`, `nxdomain`, `nodata`, `refused` or addresses", read_answer},
     "(null)", "", "answer for blocked names; `null` is 0.0.0.0 and ::"},
}};

// A list, read into the plugin that holds its names.
class PartReader {
  public:
    PartReader(Reading& in, const List& list, const Plugin& ads, std::size_t max_names)
        : in_(in),
          list_(list),
          owner_(owner_of(ads)),
          place_{"lists", owner_, list.line},
          max_names_(max_names) {}

    // `provider` has its tag.
    void read(Plugin& provider) {
        const ListUse use{
            kAdlistType.name, list_.format, list_.lenient ? "lenient" : "", {}, max_names_,
            list_.max_shrink, list_.ready};
        std::optional<ListBytes> source;
        if (is_small()) source = read_list_source(in_, {list_.source, list_.line}, place_, use);
        const matchers::ListMarks marks =
            matchers::find_list_marks(source ? source->bytes : std::string_view{});
        const bool is_adguard =
            list_.format.empty() ? marks.is_adguard() : list_.format == kAdguard;
        const PluginType* const type = find_type(is_adguard ? "adguard_rule" : "domain_set");
        provider.type = type->name;
        provider.role = type->role;
        provider.line = list_.line;
        const std::string hint = hint_of(marks, is_adguard);
        const std::string_view if_none = hint.empty() ? kOtherFormat : hint;
        if (is_adguard)
            provider.args = adguard_of(source, if_none);
        else
            provider.args = names_of(source, if_none);
        const std::size_t names = rules_of(provider);
        if (names > max_names_)
            refuse("has " + std::to_string(names) + " names, and 'max_names' allows " +
                   std::to_string(max_names_) + ": raise it, or take a shorter list");
        else if (!hint.empty() && names > 0)
            in_.report().warn(list_.line, subject() + ": " + hint);
    }

  private:
    [[nodiscard]] std::string subject() const {
        return "the list " + matchers::quoted_path(list_.source) + " in " + place_.name();
    }
    void refuse(const std::string& why) { in_.report().error(list_.line, subject() + " " + why); }

    // The fetch has checked the size of lists by URL.
    bool is_small() {
        if (is_url(list_.source)) return true;
        const std::uint64_t most = in_.settings().control.fetch.max_size;
        std::error_code error;
        const auto bytes = std::filesystem::file_size(in_.resolve(list_.source), error);
        if (error || bytes <= most) return true;
        in_.settings().opened.push_back(in_.resolve(list_.source));  // it may become smaller
        refuse("has " + std::to_string(bytes) + " bytes, and 'max_size' in 'fetch' of 'control' " +
               "allows " + std::to_string(most) + ": raise it, or take a shorter list");
        return false;
    }

    // A configured format is binding, even if the lines look like another format.
    [[nodiscard]] std::string hint_of(const matchers::ListMarks& marks, bool is_adguard) const {
        if (list_.format.empty() || is_adguard == marks.is_adguard()) return {};
        const matchers::ListMark& mark = is_adguard ? marks.hosts : marks.adguard;
        if (mark.lines == 0) return {};
        return "line " + std::to_string(mark.first) + ", " + matchers::quoted(mark.text) + ", is " +
               (is_adguard ? "a hosts line: write 'format: hosts', or no 'format'"
                           : "AdGuard's syntax: write 'format: adguard', or no 'format'");
    }

    // `if_none`: the text for a list without a valid line.
    AdguardSet adguard_of(const std::optional<ListBytes>& source, std::string_view if_none) {
        std::vector<matchers::AdguardRule> rules;
        if (source) take_adguard(in_, *source, false, place_, rules, if_none);
        return adguard_set(std::move(rules), false);
    }

    DomainSet names_of(const std::optional<ListBytes>& source, std::string_view if_none) {
        DomainSet out;
        if (!source) return out;
        auto names = matchers::read_names(source->bytes, source->file, form());
        names.list.bad.step_over(names.left_out);
        take_rules(in_, std::move(names.list), is_strict({false, list_.lenient}, form()),
                   source->file, place_, out.rules, if_none);
        return out;
    }

    [[nodiscard]] matchers::ListForm form() const {
        if (list_.format == "hosts") return matchers::ListForm::hosts;
        if (list_.format == "rules") return matchers::ListForm::rules;
        if (list_.format == "dnsmasq") return matchers::ListForm::dnsmasq;
        return list_.format == "rpz" ? matchers::ListForm::rpz : matchers::ListForm::adlist;
    }

    Reading& in_;
    const List& list_;
    std::string owner_;
    Place place_;
    std::size_t max_names_;
};

AdListPart part_of(Reading& in, const List& list, std::size_t number, const Plugin& plugin,
                   std::size_t max_names) {
    Plugin provider;
    provider.tag = plugin.tag + "." + std::to_string(number);
    PartReader(in, list, plugin, max_names).read(provider);
    return {list.source, in.add_in_place(std::move(provider))};
}

void read_adlist(Reading& in, const Node* node, Plugin& plugin) {
    AdlistArgs args;
    Node empty;
    read_rows(in, args_or_empty(node, plugin, empty), kAdlistRows, owner_of(plugin), args);
    AdList out;
    for (const List& list : args.lists)
        out.lists.push_back(part_of(in, list, out.lists.size() + 1, plugin, args.max_names));
    out.allow = std::move(args.allow);
    out.answer = std::move(args.answer);
    plugin.args = std::move(out);
}

}  // namespace

const PluginType kAdlistType{
    "adlist",
    Role::executor,
    "Blocks the names of lists. A blocked name gets the answer set by `answer`, which ends the "
    "program. Other names continue with the next rule. Place it before the cache.\n\n`steerctl "
    "adlist` shows the number of names and blocked queries per list. It can also pause blocking "
    "and fetch the lists again.",
    "",
    "",
    [] { return row_texts(kAdlistRows); },
    read_adlist,
    nullptr};

}  // namespace steer::config
