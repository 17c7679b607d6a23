#include <signal.h>  // sigaction
#include <unistd.h>

#include <atomic>
#include <boost/json/object.hpp>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "top_model.h"
#include "top_screen.h"
#include "top_view.h"

namespace steerctl {
namespace json = boost::json;
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kEvery{1};
constexpr unsigned kHitsSeconds = 1, kHitsTop = 200;
constexpr unsigned kDetailSeconds = 2, kDetailTop = 30;

TopSample ask_sample(const std::string& socket) {
    TopSample sample;
    Reply status = ask(socket, "status");
    Reply counters = status.error.empty() ? ask(socket, "counters") : Reply{};
    sample.at_s = std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
    sample.error = status.error.empty() ? counters.error : status.error;
    sample.status = std::move(status.result);
    sample.counters = std::move(counters.result);
    return sample;
}

Reply ask_hits(const std::string& socket) {
    return ask(socket, "hits", json::object{{"seconds", kHitsSeconds}, {"top", kHitsTop}},
               kLongPatience);
}

std::string ask_detail(const std::string& socket, TopPage page, const std::string& key) {
    const auto text = [&](const char* method, const char* parameter, auto text_of) {
        const Reply reply = ask(socket, method, json::object{{parameter, key}}, kLongPatience);
        return reply.error.empty() ? text_of(reply.result) : reply.error + "\n";
    };
    if (page == TopPage::routers) return text("routers.errors", "name", router_errors_text);
    const auto asked_by = [&](const char* parameter) {
        const Reply reply =
            ask(socket, "hits",
                json::object{{parameter, key}, {"seconds", kDetailSeconds}, {"top", kDetailTop}},
                kLongPatience);
        return reply.error.empty() ? hits_text(reply.result) : reply.error + "\n";
    };
    if (page == TopPage::clients) return asked_by("client");
    if (page == TopPage::names) {
        return text("cache.show", "name", cache_show_text) + "\n" + text("why", "name", why_text) +
               "\n" + asked_by("name");
    }
    return {};
}

// Asks the daemon on threads of its own, so that a slow answer does not stop the keys.
class TopFeed {
  public:
    explicit TopFeed(std::string socket) : state_(std::make_shared<State>()) {
        state_->socket = std::move(socket);
        // They may be waiting for the daemon when the program ends, so they own what they use.
        std::thread([state = state_] { sample(*state); }).detach();
        std::thread([state = state_] { count(*state); }).detach();
        std::thread([state = state_] { detail(*state); }).detach();
    }
    ~TopFeed() {
        const std::lock_guard lock(state_->mutex);
        state_->is_over = true;
        state_->changed.notify_all();
    }
    TopFeed(const TopFeed&) = delete;
    TopFeed& operator=(const TopFeed&) = delete;

    // Gives the model what arrived since the last call. While it is stopped, only what was asked of a row.
    void give(TopModel& model, bool is_stopped) {
        const std::lock_guard lock(state_->mutex);
        if (auto text = std::exchange(state_->text, std::nullopt))
            model.take_detail(state_->shown.first, state_->shown.second, std::move(*text));
        if (is_stopped) return;
        if (auto sample = std::exchange(state_->sample, std::nullopt))
            model.take(std::move(*sample));
        if (auto hits = std::exchange(state_->hits, std::nullopt))
            model.take_hits(std::move(hits->result), std::move(hits->error));
    }
    void want(TopPage page, const std::string& key) {
        const std::lock_guard lock(state_->mutex);
        state_->wanted = {page, key};
        state_->changed.notify_all();
    }

  private:
    using Row = std::pair<TopPage, std::string>;
    struct State {
        std::string socket;
        std::mutex mutex;
        std::condition_variable changed;
        bool is_over = false;
        std::optional<TopSample> sample;
        std::optional<Reply> hits;
        std::optional<Row> wanted;
        std::optional<std::string> text;  // of `shown`
        Row shown;
    };

    // False: the program ends.
    static bool sleep(State& state, Clock::time_point until) {
        std::unique_lock lock(state.mutex);
        return !state.changed.wait_until(lock, until, [&] { return state.is_over; });
    }
    static void sample(State& state) {
        auto next = Clock::now();
        do {
            TopSample sample = ask_sample(state.socket);
            {
                const std::lock_guard lock(state.mutex);
                state.sample = std::move(sample);
            }
            next = std::max(next + kEvery, Clock::now());
        } while (sleep(state, next));
    }
    // A second of pause between two counts, in which `steerctl hits` gets its turn.
    static void count(State& state) {
        do {
            Reply hits = ask_hits(state.socket);
            const std::lock_guard lock(state.mutex);
            state.hits = std::move(hits);
        } while (sleep(state, Clock::now() + kEvery));
    }
    static void detail(State& state) {
        for (;;) {
            Row row;
            {
                std::unique_lock lock(state.mutex);
                state.changed.wait(lock, [&] { return state.is_over || state.wanted; });
                if (state.is_over) return;
                row = *std::exchange(state.wanted, std::nullopt);
            }
            std::string text = ask_detail(state.socket, row.first, row.second);
            const std::lock_guard lock(state.mutex);
            state.shown = std::move(row);
            state.text = std::move(text);
        }
    }

    std::shared_ptr<State> state_;
};

std::atomic<int> ended_by{0};

void end(int number) {
    ended_by = number;
}

int run_once(const Options& options) {
    TopModel model;
    model.take(ask_sample(options.socket));
    // The count lasts a second, which the rates are of.
    Reply hits = ask_hits(options.socket);
    TopSample sample = ask_sample(options.socket);
    if (!sample.error.empty()) {
        const Reply reply = ask(options.socket, "status");
        return fail(reply.error.empty() ? steer::ErrorCode::bad_answer : reply.code, sample.error);
    }
    model.take(std::move(sample));
    model.take_hits(std::move(hits.result), std::move(hits.error));
    print(plain_text(model));
    return 0;
}

// Returns the number of the signal that ended it, or 0.
int run_on(TopScreen& terminal, const Options& options) {
    TopModel model;
    TopView view;
    TopFeed feed(options.socket);
    for (;;) {
        feed.give(model, view.is_paused);
        terminal.show(draw(model, view, TopScreen::width(), TopScreen::height()));
        std::size_t number = 0;
        const TopKey key = TopScreen::read(number);
        if (ended_by != 0) return ended_by;
        const bool was_open = view.is_detail;
        if (!press(view, model, key, number)) return 0;
        if (view.is_detail && !was_open) feed.want(view.page, view.key);
    }
}

int run_top(const Options& options, bool is_once) {
    if (options.as_json)
        return misused("top has no --json; use the commands status, counters and hits");
    if (is_once) return run_once(options);
    // Before the terminal is taken: an error is more useful than an empty screen.
    const Reply reply = ask(options.socket, "version");
    if (!reply.error.empty()) return fail(reply);
    struct sigaction action {};
    action.sa_handler = end;  // without SA_RESTART: a read of a key ends
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT})
        ::sigaction(number, &action, nullptr);
    const bool has_colors = screen().has_colors;
    std::string error;
    int number = 0;
    {
        TopScreen terminal(has_colors, error);
        if (!error.empty()) return misused(error);
        set_screen({false, true, false, 0});  // marks for styles; the terminal decides on colours
        number = run_on(terminal, options);
    }
    if (number != 0 && number != SIGINT) {
        ::signal(number, SIG_DFL);
        ::raise(number);
    }
    std::fflush(stdout);
    // Threads may be waiting for the daemon still; they hold nothing that has to be written.
    ::_exit(0);
}

}  // namespace

Run add_top(CLI::App& command, Options& options) {
    const auto is_once = std::make_shared<bool>(false);
    command.add_flag("--once", *is_once, "Print one screen as text after a second");
    return [&options, is_once] { return run_top(options, *is_once); };
}

}  // namespace steerctl
