#include "control/host/process/state_keeper.h"

#include <spdlog/spdlog.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "matchers/quote.h"

namespace steer {
namespace {

// Unlike save_state(), a missing folder is an error.
Result<void> save(const std::string& file, const std::string& text, const StateFile& how,
                  const StateKeeper::Words& words) {
    const auto folder = std::filesystem::path(file).parent_path();
    std::error_code error;
    if (!std::filesystem::is_directory(folder, error))
        return Error{"the folder " + matchers::quoted(folder.string()) +
                     " does not exist: " + std::string(words.unsaved) + "; create it"};
    return save_state(file, text, how, words.what, words.unsaved);
}

}  // namespace

StateKeeper::StateKeeper(boost::asio::io_context& main_io, std::string file, const StateFile& how,
                         const Words& words)
    : file_(std::move(file)), how_(how), words_(words), aside_(main_io, words.work) {}

boost::json::object StateKeeper::load(std::size_t most_bytes) {
    if (!is_on()) return {};
    auto kept = load_or_keep(file_, most_bytes, words_.unread);
    if (kept) return *std::move(kept);
    problem_ = kept.error().sentence();
    spdlog::warn("{}", problem_);
    return {};
}

void StateKeeper::set_left_out(std::size_t parts) {
    left_out_ = parts;
    if (parts != 0)
        spdlog::warn("{}: {} {} cannot be read and are left out", file_, parts, words_.parts);
}

void StateKeeper::save(std::string text, std::function<void(const std::string& problem)> then) {
    if (!is_on()) return then(std::string(words_.off));
    if (!waiting_) waiting_.emplace();
    waiting_->text = std::move(text);
    waiting_->then.push_back(std::move(then));
    if (!is_saving_) save_waiting();
}

void StateKeeper::save_waiting() {
    is_saving_ = true;
    Waiting now = *std::exchange(waiting_, std::nullopt);
    const std::size_t left_out = std::exchange(left_out_, 0);
    StateFile how = how_;
    how.is_damaged = left_out != 0;
    aside_.run([file = file_, text = std::move(now.text), how,
                words = words_] { return steer::save(file, text, how, words); },
               [this, all = std::move(now.then), left_out](const Result<void>& saved) {
                   is_saving_ = false;
                   problem_ = saved ? std::string() : saved.error().sentence();
                   if (!saved) {
                       spdlog::warn("{}", problem_);
                       left_out_ = left_out;
                   }
                   for (const auto& then : all)
                       then(problem_);
                   if (waiting_ && !is_saving_) save_waiting();
               });
}

void StateKeeper::add_problems(Problems& problems) const {
    if (!problem_.empty()) problems.push_back({words_.section, problem_});
    if (left_out_ == 0) return;
    problems.push_back({words_.section, std::to_string(left_out_) + " " +
                                            std::string(words_.parts) + " of '" + file_ +
                                            "' cannot be read; the next change of a " +
                                            std::string(words_.part) + " keeps the file as '" +
                                            file_ + ".damaged'"});
}

}  // namespace steer
