#include "control/sources/edit/managed_service.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <set>
#include <utility>

#include "control/config/document_text.h"
#include "control/config/layer.h"
#include "control/program/reload/managed_start.h"
#include "control/sources/edit/layer_text.h"
#include "control/sources/edit/line_diff.h"
#include "matchers/quote.h"

namespace steer::edit {
namespace json = boost::json;

using ops::Arguments;
using ops::RpcCode;
using ops::RpcDone;
using ops::RpcError;

namespace {

RpcError layer_refusal(std::string why) {
    return {RpcCode::internal_error, std::move(why)};
}

FileEditor::Text made(Result<std::string> text) {
    return text ? FileEditor::Text{*std::move(text), {}}
                : FileEditor::Text{{}, text.error().sentence()};
}

json::value to_json(const config::Node& node) {
    switch (node.kind) {
        case config::Node::Kind::null:
            return nullptr;
        case config::Node::Kind::text:
            return json::string(node.text);
        case config::Node::Kind::list: {
            json::array out;
            for (const config::Node& item : node.items)
                out.push_back(to_json(item));
            return out;
        }
        case config::Node::Kind::map: {
            json::object out;
            for (const config::Entry& entry : node.entries)
                out[entry.key] = to_json(entry.value);
            return out;
        }
    }
    return nullptr;
}

// Fetches lists that have no copy yet. A new one that cannot be fetched is an error: a typing
// mistake in a URL would block nothing without a notice. `known`: URLs in force.
Checked check_with_lists(const ConfigSource& source, const std::set<std::string>& known) {
    std::set<std::string> tried;
    std::vector<std::string> reports;
    const auto loaded = source.load_with_lists(
        tried, {}, [&reports](const std::string& report) { reports.push_back(report); });
    Checked out = check_loaded(loaded);
    for (const config::RemoteList& list : loaded.settings.remote_lists) {
        if (list.present || known.contains(list.url)) continue;
        std::string text = "the list " + list.url + " cannot be fetched";
        for (const std::string& report : reports) {
            if (report.find(list.url) != std::string::npos) text += ": " + report;
        }
        add_problems(out.problems, "error", {Error{text, loaded.settings.managed.file}});
        out.good = false;
    }
    return out;
}

json::array to_json(const std::vector<DiffLine>& lines) {
    json::array out;
    for (const DiffLine& line : lines)
        out.push_back(json::object{{"kind", std::string(1, line.kind)}, {"text", line.text}});
    return out;
}

}  // namespace

ManagedService::ManagedService(boost::asio::io_context& main_io, ConfigSource source,
                               FileEditor::Reload reload, LayerKeeper& keeper)
    : source_(std::move(source)),
      keeper_(keeper),
      editor_(main_io, "managed changes", std::move(reload)) {}

void ManagedService::follow(const config::Settings& settings) {
    layer_ = settings.managed.file;
    folder_ =
        settings.control.history.empty() ? std::string() : settings.control.history + "/managed";
    is_in_force_ = settings.managed.is_used && settings.managed.error.empty();
    is_last_good_ = settings.managed.is_last_good;
    urls_.clear();
    for (const config::RemoteList& list : settings.remote_lists)
        urls_.insert(list.url);
    entries_.clear();
    for (const config::PluginIndex entry : settings.entries)
        entries_.push_back(settings.plugin(entry).tag);
}

EditedFile ManagedService::file() const {
    return {.file = layer_,
            .folder = folder_,
            .what = "a change of managed.yaml",
            .may_be_missing = true,
            .check = [source = source_, known = urls_](const std::string& text) {
                return check_with_lists(source.with_layer(text), known);
            }};
}

std::string ManagedService::refusal() const {
    if (!layer_.empty()) return {};
    return source_.has_managed
               ? "there is no layer over the configuration: write 'managed: on' in 'control', and "
                 "reload"
               : "steerdnsd was started with --no-managed: start it without that option";
}

void ManagedService::show(const RpcDone& done) {
    if (const std::string why = refusal(); !why.empty()) return done(ops::bad_params(why));
    json::array changed;
    for (const std::string& path : keeper_.changed())
        changed.emplace_back(path);
    editor_.aside().run(
        [file = file(), source = source_, is_in_force = is_in_force_,
         entries = json::array(entries_.begin(), entries_.end()),
         changed = std::move(changed)]() mutable -> ops::RpcResult {
            const auto text = file.read();
            if (!text) return layer_refusal(text.error().text);
            json::array parts;
            for (const NamedPart& part : parts_of(*text))
                parts.push_back(json::object{{"part", part.name},
                                             {"yaml", config::yaml_of(part.value)},
                                             {"value", to_json(part.value)}});
            const auto merged = source.merged();
            const std::string error =
                file.folder.empty()
                    ? "`control.history` is off: changes are not kept, so none is taken"
                    : write_error(file.file);
            return json::value(
                with_text(json::object{{"file", file.file},
                                       {"hash", hash_of(*text)},
                                       {"trouble", error},
                                       {"in_force", is_in_force},
                                       {"parts", std::move(parts)},
                                       {"changed", std::move(changed)},
                                       {"entries", std::move(entries)},
                                       {"configuration", merged ? to_json(*merged) : nullptr}},
                          *text));
        },
        done);
}

void ManagedService::check(const Arguments& asked, const RpcDone& done) {
    if (const std::string why = refusal(); !why.empty()) return done(ops::bad_params(why));
    auto change = layer_change(asked.texts("parts"), asked.texts("values"));
    if (!change) return done(ops::bad_params(change.error().text));
    editor_.aside().run(
        [file = file(), change = *std::move(change)]() -> ops::RpcResult {
            const auto now = file.read();
            if (!now) return layer_refusal(now.error().text);
            const auto text = with_change(file.file, *now, change);
            if (!text) return ops::bad_params(text.error().sentence());
            Checked checked = file.check(*text);
            return json::value(json::object{{"good", checked.good},
                                            {"problems", std::move(checked.problems)},
                                            {"text", *text},
                                            {"diff", to_json(diff_lines(*now, *text))},
                                            {"hash", hash_of(*now)}});
        },
        done);
}

void ManagedService::change(const Arguments& asked, FileEditor::MakeText text,
                            std::vector<std::string> paths, const RpcDone& done) {
    if (const std::string why = refusal(); !why.empty()) return done(ops::bad_params(why));
    keeper_.accept(std::move(paths));
    editor_.change(file(), asked.text("hash"), std::move(text),
                   [this, done](ops::RpcResult result) {
                       keeper_.accept({});
                       done(std::move(result));
                   });
}

void ManagedService::set(const Arguments& asked, const RpcDone& done) {
    auto wanted = layer_change(asked.texts("parts"), asked.texts("values"));
    if (!wanted) return done(ops::bad_params(wanted.error().text));
    std::vector<std::string> paths;
    for (const LayerPart& part : wanted->parts)
        paths.push_back(part.path());
    change(
        asked,
        [file = layer_, wanted = *std::move(wanted)](const std::string& now) {
            return made(with_change(file, now, wanted));
        },
        std::move(paths), done);
}

void ManagedService::undo(const Arguments& asked, const RpcDone& done) {
    std::optional<std::uint64_t> version;
    if (asked.has("version")) version = asked.number("version", 0);
    change(
        asked,
        [history = file().history(), version, good = is_last_good_ ? good_copy_of(layer_) : "",
         file = layer_](const std::string& now) -> FileEditor::Text {
            if (version) return made(history.text(*version));
            if (!good.empty()) {
                auto copy = config::read_managed(good);
                if (copy && *copy && **copy != now) return {**std::move(copy), {}};
            }
            for (const History::Version& one : history.versions()) {
                auto text = history.text(one.number);
                if (text && *text != now) return {*std::move(text), {}};
            }
            return {{}, file + " has no earlier text: nothing was changed yet"};
        },
        {}, done);
}

void ManagedService::keep(const Arguments& asked, const RpcDone& done) {
    if (!keeper_.accept_now(asked.text("path")))
        return done(ops::bad_params("the layer in force has no value " +
                                    matchers::quoted(asked.text("path")) +
                                    ": 'managed.show' lists changed ones in `changed`"));
    done(json::value(json::object{{"kept", asked.text("path")}}));
}

void ManagedService::add_methods(ops::Methods& methods) {
    using ops::Changes;
    using ops::ParamType;
    constexpr ops::Parameter kParts{"parts", ParamType::texts,
                                    "each plugins.TAG, routers.NAME, policy.SETTING, mdns.SETTING, "
                                    "or http",
                                    true};
    constexpr ops::Parameter kValues{"values", ParamType::texts,
                                     "the value of each part, as YAML; of a plugin, a map "
                                     "with `type`, `args` or both; empty: the part is removed"};
    constexpr ops::Parameter kHash{
        "hash", ParamType::text,
        "`hash` of managed.show: a file that changed since then stays as it is", true};
    constexpr std::string_view kApplied = "applied problems generation? kept?";
    constexpr std::string_view kAsApply = "as configuration.apply";
    methods.add(
        {.name = "managed.show",
         .help = "Shows the layer managed.yaml, and the configuration with it.",
         .changes = Changes::nothing(),
         .piece = ops::Piece::report(),
         .role = AccessRole::admin,
         .run = [this](const Arguments&, const RpcDone& done) { show(done); },
         .members = "file text base64? hash trouble in_force parts changed entries configuration",
         .result = "the file, its parts, what changed below it, the first sequences, the "
                   "configuration"});
    methods.add({.name = "managed.check",
                 .help = "Shows what a change of managed.yaml would do.",
                 .changes = Changes::nothing(),
                 .piece = ops::Piece::report(),
                 .role = AccessRole::admin,
                 .parameters = {kParts, kValues},
                 .run = [this](const Arguments& asked, const RpcDone& done) { check(asked, done); },
                 .members = "good problems text diff hash",
                 .result = "`good`, the problems, the text that would be written, and what changes "
                           "in it"});
    methods.add({.name = "managed.set",
                 .help = "Changes parts of managed.yaml and reloads; keeps the old text.",
                 .changes = Changes::always(),
                 .piece = ops::Piece::report(),
                 .role = AccessRole::admin,
                 .parameters = {kParts, kValues, kHash},
                 .run = [this](const Arguments& asked, const RpcDone& done) { set(asked, done); },
                 .members = kApplied,
                 .result = kAsApply});
    methods.add({.name = "managed.undo",
                 .help = "Gives managed.yaml its text before the last change and reloads.",
                 .changes = Changes::always(),
                 .piece = ops::Piece::report(),
                 .role = AccessRole::admin,
                 .parameters = {{"version", ParamType::number,
                                 "the number of another version, from managed.history", false, 1},
                                kHash},
                 .run = [this](const Arguments& asked, const RpcDone& done) { undo(asked, done); },
                 .members = kApplied,
                 .result = kAsApply});
    methods.add({.name = "managed.keep",
                 .help = "Keeps a value of managed.yaml whose value below it has changed.",
                 .changes = Changes::always(),
                 .piece = ops::Piece::small(),
                 .role = AccessRole::admin,
                 .parameters = {{"path", ParamType::text, "from `changed` of managed.show", true}},
                 .run = [this](const Arguments& asked, const RpcDone& done) { keep(asked, done); },
                 .members = "kept",
                 .result = "the path"});
    methods.add(
        {.name = "managed.history",
         .help = "Lists the earlier texts of managed.yaml that are kept.",
         .changes = Changes::nothing(),
         .piece = ops::Piece::report(),
         .role = AccessRole::admin,
         .run = [this](const Arguments&, const RpcDone& done) { editor_.history(file(), done); },
         .members = "versions",
         .result = "version, time and size of each, the newest first"});
    methods.add({.name = "managed.version",
                 .help = "Shows an earlier text of managed.yaml.",
                 .changes = Changes::nothing(),
                 .piece = ops::Piece::report(),
                 .role = AccessRole::admin,
                 .parameters = {{"version", ParamType::number,
                                 "the number of a version, from managed.history", true, 1}},
                 .run =
                     [this](const Arguments& asked, const RpcDone& done) {
                         editor_.version(file(), asked.number("version", 0), done);
                     },
                 .members = "version text base64?",
                 .result = "the text"});
}

}  // namespace steer::edit
