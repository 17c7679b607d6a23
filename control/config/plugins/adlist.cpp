// adlist: blocks names of lists, like RouterOS's /ip/dns/adlist.
#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <utility>

#include "control/config/lists/list_source.h"
#include "control/config/lists/rule_steps.h"
#include "control/config/lists/rules.h"
#include "control/config/plugin_type.h"
#include "control/config/plugins/block_terms.h"
#include "control/config/plugins/name_rules.h"
#include "control/config/reference.h"
#include "control/config/text/dns_names.h"
#include "control/config/text/url.h"
#include "control/config/values.h"
#include "matchers/list/block_list.h"
#include "matchers/list/list_lines.h"
#include "matchers/list/name_list.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::string_view kAdguard = "adguard";
// All forms but those of sets alone: "rules|hosts|...".
#define STEER_NAME_any(form) "|" #form
#define STEER_NAME_lines(form) "|" #form
#define STEER_NAME_set(form) ""
#define STEER_LIST_FORM(form, use, text) STEER_NAME_##use(form)
constexpr std::string_view kListFormats =
    std::string_view("" STEER_LIST_FORMS(STEER_LIST_FORM)).substr(1);
#undef STEER_LIST_FORM
#undef STEER_NAME_set
#undef STEER_NAME_lines
#undef STEER_NAME_any

struct List {
    std::string source, format;
    bool lenient = false, match_all = false;
    std::optional<std::uint32_t> max_shrink;
    bool ready = true;
    BlockTerms terms;
    matchers::ListVersion version;
    int line = 0;
};
struct AdlistArgs {
    std::vector<List> lists;
    std::uint32_t max_names = 5'000'000;
    NameRules allow;
    bool cname = true;
    BlackHole answer{.mode = BlackHoleMode::null};
};

void read_source(Reading& in, const Node& node, const Place& place, List& out) {
    read_value(in, node, place, {}, out.source);
    out.line = place.line;
}
void read_format(Reading& in, const Node& node, const Place& place, List& out) {
    if (read_choice(in, node, place, kListFormats)) out.format = node.text;
}

constexpr std::array<Row<List>, 6> kOwnListsRows{{
    {"list", Files<List>{"path or URL", read_source}, "required", "", "path or URL of the list"},
    {"format", Own<List>{"one of", read_format}, "(detected)", kListFormats,
     "format of the list\n`adlist`, `hosts` and `adguard` are read line by line, as in AdGuard "
     "Home: rules in AdGuard's syntax, `0.0.0.0 NAME`, and names, each for that name only. With "
     "`adguard`, words such as `-ads-` are patterns, and exceptions count. Without a format, a "
     "list is `adguard` if most of its marked lines are in AdGuard's syntax. For the others see "
     "`format` of `domain_set`."},
    {"lenient", &List::lenient, "false", "", "with `rpz`: same as `lenient` of `domain_set`"},
    match_all_row<List>(),
    max_shrink_row<List>(),
    list_ready_row<List>(),
}};
constexpr auto kListsRows = joined(
    kOwnListsRows,
    block_terms_rows<List>(
        "the law requires this list\n`allow`, exceptions of other lists, rules (`control.rules`) "
        "and pauses do not end it. Its answers have the EDE code Censored (16) in place of Blocked "
        "(15)."));

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
            const std::string owner = "'lists' of " + std::string(place.owner);
            read_rows(in, item, kListsRows, owner, list);
            check_terms(in, list.line, owner, list.terms);
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

constexpr std::array<Row<AdlistArgs>, 5> kAdlistRows{{
    {"lists", Files<AdlistArgs>{"list of paths, URLs and maps", read_lists}, "required", "",
     "the block lists: paths, URLs, or maps, see below\nExamples: `- "
     "https://lists.example/hosts`, `- {list: ads.txt, format: clash}`. The lists are one policy: "
     "exceptions (`@@`), `important` and `badfilter` of one list count for all lists. URLs are "
     "fetched as set in `control.fetch`; the last good copy is kept."},
    {"allow", Own<AdlistArgs>{"list of rules, `$TAG`, `&FILE`", read_allow}, "none", "",
     "names that are never blocked\nTheir answers are not checked either (`cname`)."},
    {"cname", &AdlistArgs::cname, "true", "",
     "also block names whose answers point to blocked names\nAn answer points to the "
     "targets of its CNAME, HTTPS and SVCB records. `allow` and exceptions of the lists count for "
     "these names, too. The answers of a name that `allow` or an exception covers are not checked. "
     "Rules with `dnstype` apply by the type of the question. Caches keep the upstream's answer "
     "for other clients."},
    {"max_names", &AdlistArgs::max_names, "5000000", "1..100000000",
     "maximum rules of one list\nA longer list is rejected, at a reload and when it is fetched, "
     "and the previous version stays in use. `control.fetch.max_size` limits the size of a list in "
     "a file."},
    {"answer", Own<AdlistArgs>{"`null`, `nxdomain`, `nodata`, `refused` or addresses", read_answer},
     "(null)", "", "answer for blocked names; `null` is 0.0.0.0 and ::"},
}};

class PartReader {
  public:
    PartReader(Reading& in, const List& list, const Plugin& ads, std::size_t max_names)
        : in_(in),
          list_(list),
          owner_(owner_of(ads)),
          place_{"lists", owner_, list.line},
          max_names_(max_names) {}

    // `version` has the hash of its bytes if the list is logged.
    ListRules read(matchers::ListVersion& version) {
        ListUse use{kAdlistType.name, list_.format, list_.lenient ? "lenient" : "", {}, max_names_,
                    list_.max_shrink, list_.ready};
        use.match_all = list_.match_all;
        if (!is_small()) return {};
        const auto source = read_list_source(in_, {list_.source, list_.line}, place_, use);
        if (!source) return {};
        ListRules rules;
        take_names(in_, names_of(*source), {false, list_.lenient, list_.match_all}, source->file,
                   place_, rules);
        if (list_.terms.hit_log) version.sha256 = sha256_of(source->bytes);
        if (rules.size() > max_names_) {
            refuse("has " + std::to_string(rules.size()) + " names, and 'max_names' allows " +
                   std::to_string(max_names_) + ": raise it, or take a shorter list");
        }
        return rules;
    }

  private:
    void refuse(const std::string& why) {
        in_.report().error(list_.line, "the list " + matchers::quoted_path(list_.source) + " in " +
                                           place_.name() + " " + why);
    }

    // The fetch has checked the size of lists by URL.
    bool is_small() {
        if (is_url(list_.source) || is_secondary(list_.source)) return true;
        const std::uint64_t most = in_.settings().control.fetch.max_size;
        std::error_code error;
        const auto bytes =
            std::filesystem::file_size(in_.resolve(list_.source, list_.line).text(), error);
        if (error || bytes <= most) return true;
        in_.settings().opened.push_back(
            in_.resolve(list_.source, list_.line));  // it may become smaller
        refuse("has " + std::to_string(bytes) + " bytes, and 'max_size' in 'fetch' of 'control' " +
               "allows " + std::to_string(most) + ": raise it, or take a shorter list");
        return false;
    }

    // Rules of AdGuard, hosts lines and bare names are read line by line (automatic).
    [[nodiscard]] matchers::ListForm form(std::string_view bytes) const {
        using matchers::ListForm;
        const bool is_given = !list_.format.empty();
        const ListForm guessed = is_given ? ListForm::automatic : matchers::guess_form(bytes);
        const auto* const at =
            std::ranges::find_if(matchers::kListForms, [&](const matchers::ListFormRow& row) {
                return row.use == matchers::ListFormUse::any &&
                       (is_given ? row.name == list_.format
                                 : row.form == guessed && guessed != ListForm::rules);
            });
        return at == matchers::kListForms.end() ? ListForm::automatic : at->form;
    }

    [[nodiscard]] matchers::NameList names_of(const ListBytes& source) const {
        const auto whole = form(source.bytes);
        if (whole != matchers::ListForm::automatic)
            return matchers::read_names(source.bytes, source.file, whole, {{}, parse_qtype});
        const bool is_adguard =
            list_.format == kAdguard ||
            (list_.format.empty() && matchers::find_list_marks(source.bytes).is_adguard());
        return matchers::read_block_list(source.bytes, source.file, parse_qtype, is_adguard);
    }

    Reading& in_;
    const List& list_;
    std::string owner_;
    Place place_;
    std::size_t max_names_;
};

// The lists of an adlist are one policy: exceptions and badfilters of one count for all.
class AdPolicy {
  public:
    AdPolicy(Reading& in, const Plugin& plugin) : in_(in), plugin_(plugin) {}

    void add(const List& list, ListRules rules) {
        names_.push_back(list.source);
        lines_.push_back(list.line);
        terms_.push_back(list.terms);
        versions_.push_back(list.version);
        exceptions_.push_back(static_cast<std::size_t>(
            std::ranges::count_if(rules.rules, &matchers::AdguardRule::exception)));
        rules_.push_back(std::move(rules));
    }

    // Sets the lists and their exceptions.
    void make(AdList& ads) {
        apply_badfilters();
        for (std::size_t i = 0; i < rules_.size(); ++i)
            note_lines(rules_[i], terms_[i].legal, versions_[i]);
        std::vector<std::optional<PluginIndex>> own(rules_.size());
        for (std::size_t i = 0; i < rules_.size(); ++i) {
            if (terms_[i].legal)
                own[i] = exceptions_of({&rules_[i], 1}, std::to_string(i + 1) + ".exceptions");
        }
        ads.exceptions = exceptions_of(rules_, "exceptions");
        for (std::size_t i = 0; i < rules_.size(); ++i) {
            DomainSet set;
            set.steps = steps_of(std::move(rules_[i]));
            set.exceptions = terms_[i].legal ? own[i] : ads.exceptions;
            ads.lists.push_back({names_[i],
                                 add_set(std::to_string(i + 1), lines_[i], std::move(set)),
                                 exceptions_[i], terms_[i], std::move(versions_[i])});
        }
    }

  private:
    // Of the rules that are in force. Exceptions of a legal list allow nothing: they count for it alone.
    static void note_lines(const ListRules& rules, bool is_legal, matchers::ListVersion& version) {
        matchers::ListLinesBuilder lines(false), exceptions(false);
        for (const RuleAt& at : rules.names)
            lines.add(at.rule, at.line);
        for (const matchers::AdguardRule& rule : rules.rules) {
            if (rule.badfilter || (rule.exception && is_legal)) continue;
            (rule.exception ? exceptions : lines).add(rule.rule, rule.line);
        }
        version.lines = std::move(lines).build();
        version.exceptions = std::move(exceptions).build();
    }

    // Those of others cannot disable rules of a legal list.
    void apply_badfilters() {
        std::vector<ListRules> others;
        std::vector<std::size_t> places;
        for (std::size_t i = 0; i < rules_.size(); ++i) {
            if (terms_[i].legal) {
                std::vector<ListRules> alone(1);
                alone.front() = std::move(rules_[i]);
                config::apply_badfilters(alone);
                rules_[i] = std::move(alone.front());
            } else {
                others.push_back(std::move(rules_[i]));
                places.push_back(i);
            }
        }
        config::apply_badfilters(others);
        for (std::size_t i = 0; i < places.size(); ++i)
            rules_[places[i]] = std::move(others[i]);
    }

    // Takes the exceptions out of these lists.
    std::optional<PluginIndex> exceptions_of(std::span<ListRules> lists, const std::string& name) {
        ListRules all;
        for (ListRules& list : lists) {
            for (auto& rule : list.rules) {
                if (rule.exception) all.rules.push_back(std::move(rule));
            }
            std::erase_if(list.rules, &matchers::AdguardRule::exception);
        }
        if (all.rules.empty()) return std::nullopt;
        DomainSet set;
        set.steps = steps_of(std::move(all));
        return add_set(name, plugin_.line, std::move(set));
    }

    PluginIndex add_set(const std::string& name, int line, DomainSet set) {
        Plugin provider;
        provider.tag = plugin_.tag + "." + name;
        provider.line = line;
        provider.type = kDomainSetType.name;
        provider.role = kDomainSetType.role;
        provider.args = std::move(set);
        return in_.add_in_place(std::move(provider));
    }

    Reading& in_;
    const Plugin& plugin_;
    std::vector<std::string> names_;
    std::vector<int> lines_;
    std::vector<std::size_t> exceptions_;
    std::vector<BlockTerms> terms_;
    std::vector<matchers::ListVersion> versions_;
    std::vector<ListRules> rules_;
};

void read_adlist(Reading& in, const Node* node, Plugin& plugin) {
    AdlistArgs args;
    Node empty;
    const Node& map = args_or_empty(node, plugin, empty);
    read_rows(in, map, kAdlistRows, owner_of(plugin), args);
    AdPolicy policy(in, plugin);
    for (List& list : args.lists) {
        ListRules rules = PartReader(in, list, plugin, args.max_names).read(list.version);
        policy.add(list, std::move(rules));
    }
    AdList out;
    policy.make(out);
    out.allow = std::move(args.allow);
    if (map.find("cname") != nullptr) out.cname = args.cname;
    out.answer = std::move(args.answer);
    plugin.args = std::move(out);
}

}  // namespace

const PluginType kAdlistType{
    "adlist",
    Role::executor,
    "Blocks the names of lists, and names whose answers point to them (`cname`). A blocked name "
    "gets the answer set by `answer`, which ends the program. Other names continue with the next "
    "rule. Place it before the cache.\n\n`steerctl "
    "adlist` shows the number of names and blocked queries per list. It can also pause blocking "
    "and fetch the lists again.",
    "",
    "",
    [] { return row_texts(kAdlistRows); },
    read_adlist,
    nullptr,
    {.reference = [](std::ostream& out) { write_part(out, "lists", row_texts(kListsRows)); }}};

}  // namespace steer::config
