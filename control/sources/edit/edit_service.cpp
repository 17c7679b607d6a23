#include "control/sources/edit/edit_service.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>

#include "control/config/reading.h"
#include "matchers/utf8.h"

namespace steer::edit {
namespace json = boost::json;

using ops::RpcDone;

EditService::EditService(boost::asio::io_context& main_io, ConfigSource source,
                         FileEditor::Reload reload)
    : source_(std::move(source)), editor_(main_io, "configuration", std::move(reload)) {}

void EditService::follow(const config::Settings& settings) {
    folder_ = settings.control.history;
}

EditedFile EditService::file() const {
    return {.file = source_.path,
            .folder = folder_,
            .what = "a changed configuration",
            .check = [source = source_](const std::string& text) {
                return check_loaded(source.load_text(text));
            }};
}

void EditService::show(const RpcDone& done) {
    editor_.aside().run(
        [file = file()]() -> ops::RpcResult {
            const auto text = file.read();
            if (!text) return ops::RpcError{ops::RpcCode::internal_error, text.error().text};
            const auto wrong = find_not_utf8(*text);
            const std::string error =
                file.folder.empty()
                    ? "`control.history` is off: changes are not kept, so none is taken"
                : wrong ? file.file + ":" + std::to_string(wrong->line) + ": " + wrong->text() +
                              ": save the file as UTF-8 before you change it here"
                        : write_error(file.file);
            return json::value(with_text(json::object{{"file", file.file},
                                                      {"hash", hash_of(*text)},
                                                      {"bytes", text->size()},
                                                      {"trouble", error}},
                                         *text));
        },
        done);
}

void EditService::check(const std::string& text, const RpcDone& done) {
    editor_.aside().run(
        [file = file(), text] { return file.check(text); },
        [done](Checked checked) {
            done(json::value(
                json::object{{"good", checked.good}, {"problems", std::move(checked.problems)}}));
        });
}

void EditService::add_methods(ops::Methods& methods) {
    using ops::Changes;
    using ops::ParamType;
    constexpr ops::Parameter kText{"text", ParamType::text, "the whole configuration, as YAML",
                                   true};
    constexpr ops::Parameter kHash{
        "hash", ParamType::text,
        "`hash` of configuration.show: a file that changed since then stays as it is", true};
    constexpr ops::Parameter kVersion{"version", ParamType::number,
                                      "the number of a version, from configuration.history", true,
                                      1};
    methods.add({.name = "configuration.show",
                 .help = "Shows the configuration's file, with its passwords.",
                 .changes = Changes::nothing(),
                 .piece = ops::Piece::report(),
                 .role = AccessRole::admin,
                 .run = [this](const ops::Arguments&, const RpcDone& done) { show(done); },
                 .members = "file text base64? bytes hash trouble",
                 .result =
                     "the file, its text (`base64` if it is not UTF-8) and `hash`; `trouble`: no "
                     "writing"});
    methods.add({.name = "configuration.check",
                 .help = "Lists the errors and warnings of a configuration, as --check does.",
                 .changes = Changes::nothing(),
                 .piece = ops::Piece::report(),
                 .role = AccessRole::admin,
                 .parameters = {kText},
                 .run = [this](const ops::Arguments& asked,
                               const RpcDone& done) { check(asked.text("text"), done); },
                 .members = "good problems",
                 .result = "`good`, and the problems with level, file and line"});
    methods.add({.name = "configuration.apply",
                 .help = "Replaces the configuration's file and reloads; keeps the old text.",
                 .changes = Changes::always(),
                 .piece = ops::Piece::report(),
                 .role = AccessRole::admin,
                 .parameters = {kText, kHash},
                 .run =
                     [this](const ops::Arguments& asked, const RpcDone& done) {
                         editor_.change(
                             file(), asked.text("hash"),
                             [text = asked.text("text")](const std::string&) {
                                 return FileEditor::Text{text, {}};
                             },
                             done);
                     },
                 .members = "applied problems generation? kept?",
                 .result = "`applied`, the problems, the generation, and the version that keeps "
                           "the old text (`kept`)"});
    methods.add({.name = "configuration.history",
                 .help = "Lists the earlier texts of the configuration that are kept.",
                 .changes = Changes::nothing(),
                 .piece = ops::Piece::report(),
                 .role = AccessRole::admin,
                 .run = [this](const ops::Arguments&,
                               const RpcDone& done) { editor_.history(file(), done); },
                 .members = "versions",
                 .result = "version, time and size of each, the newest first"});
    methods.add({.name = "configuration.version",
                 .help = "Shows an earlier text of the configuration, with its passwords.",
                 .changes = Changes::nothing(),
                 .piece = ops::Piece::report(),
                 .role = AccessRole::admin,
                 .parameters = {kVersion},
                 .run =
                     [this](const ops::Arguments& asked, const RpcDone& done) {
                         editor_.version(file(), asked.number("version", 0), done);
                     },
                 .members = "version text base64?",
                 .result = "the text; `base64` has the bytes of one that is not UTF-8"});
    methods.add({.name = "configuration.rollback",
                 .help = "Gives the configuration an earlier text and reloads.",
                 .changes = Changes::always(),
                 .piece = ops::Piece::report(),
                 .role = AccessRole::admin,
                 .parameters = {kVersion, kHash},
                 .run =
                     [this](const ops::Arguments& asked, const RpcDone& done) {
                         editor_.change(
                             file(), asked.text("hash"),
                             [history = History(folder_),
                              number = asked.number("version", 0)](const std::string&) {
                                 auto text = history.text(number);
                                 return text ? FileEditor::Text{*std::move(text), {}}
                                             : FileEditor::Text{{}, text.error().text};
                             },
                             done);
                     },
                 .members = "applied problems generation? kept?",
                 .result = "as configuration.apply"});
}

}  // namespace steer::edit
