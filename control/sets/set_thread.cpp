#include "control/sets/set_thread.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "control/sets/ipset_writer.h"
#include "control/sets/nftables_watch.h"
#include "control/sets/nftables_writer.h"

namespace steer::sets {
namespace {

constexpr std::size_t kMostInbox = 65'536;  // addresses
constexpr std::uint64_t kLookEveryMs = 10'000;
constexpr std::uint64_t kStatusEveryMs = 500;

}  // namespace

// The libraries, each opened when the first set asks for it: a machine may lack one of the two in its kernel.
struct SetThread::Kernel final : SetWriter {
    SetWriter& of(const SetName& set) {
        if (set.is_ipset()) {
            if (!ipsets) ipsets = std::make_unique<IpsetWriter>();
            return *ipsets;
        }
        if (!nftables) nftables = std::make_unique<NftablesWriter>();
        return *nftables;
    }
    Result<SetAbility> read(const SetName& set) override { return of(set).read(set); }
    Result<void> add(const SetName& set, std::span<const SetElement> elements) override {
        auto done = of(set).add(set, elements);
        read_watch();
        return done;
    }
    Result<bool> has(const SetName& set, const matchers::Prefix& prefix) override {
        return of(set).has(set, prefix);
    }

    // So often that our own changes do not fill its buffer.
    void read_watch() {
        if (!watch) return;
        if (!watch->read([this](const SetName& set) { changed.push_back(set); })) lost = true;
    }

    std::unique_ptr<NftablesWriter> nftables;
    std::unique_ptr<IpsetWriter> ipsets;
    std::unique_ptr<NftablesWatch> watch;  // as long as there is a set of nftables
    std::vector<SetName> changed;
    bool lost = false;  // anything may have changed
};

SetThread::SetThread(Clock& clock, ListStates& lists, OnInstalled installed, Log log)
    : clock_(clock),
      lists_(lists),
      installed_(std::move(installed)),
      log_(std::move(log)),
      event_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

SetThread::~SetThread() {
    stop();
    ::close(event_fd_);
}

void SetThread::configure(std::vector<SetPlan> plans) {
    if (!thread_.joinable()) {
        if (plans.empty()) return;
        inbox_.plans = std::make_unique<std::vector<SetPlan>>(std::move(plans));
        thread_ = std::thread([this] { run(); });
        pthread_setname_np(thread_.native_handle(), "sets");
        return;
    }
    {
        const std::lock_guard lock(mutex_);
        inbox_.plans = std::make_unique<std::vector<SetPlan>>(std::move(plans));
        inbox_.wakes = true;
    }
    wake();
}

void SetThread::claim(const Event& event) {
    const auto until_s =
        event.row_life_s == 0
            ? UINT32_MAX
            : static_cast<std::uint32_t>((event.raised_ms + 999) / 1000) + event.row_life_s;
    const std::lock_guard lock(mutex_);
    if (inbox_.claims.size() + event.count > kMostInbox) {
        overflows_.fetch_add(event.count, std::memory_order_relaxed);
        inbox_.overflowed.resize(kMaxLists);
        inbox_.overflowed[event.list] = true;
        return;
    }
    for (unsigned i = 0; i < event.count; ++i)
        inbox_.claims.push_back({event.list, event.addresses[i], until_s});
    inbox_.wakes = true;
}

void SetThread::wake() {
    {
        const std::lock_guard lock(mutex_);
        if (!std::exchange(inbox_.wakes, false)) return;
    }
    constexpr std::uint64_t kOne = 1;
    [[maybe_unused]] const auto n = ::write(event_fd_, &kOne, sizeof kOne);
}

void SetThread::stop() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        inbox_.ends = inbox_.wakes = true;
    }
    wake();
    thread_.join();
}

std::uint32_t SetThread::epoch(ListId list) const {
    return lists_[list].epoch.load(std::memory_order_relaxed);
}

// What is known of a list is void: hits claim again.
void SetThread::forget(ListId list) {
    lists_[list].epoch.fetch_add(1, std::memory_order_relaxed);
}

void SetThread::take_up(const std::vector<SetPlan>& plans) {
    for (const SetPlan& plan : plans) {
        if (std::find(plans_.begin(), plans_.end(), plan) == plans_.end()) forget(plan.list);
    }
    plans_ = plans;
}

void SetThread::run() {
    Kernel kernel;
    SetService service(
        kernel, {.installed =
                     [this](std::span<const Installed> rows) {
                         std::vector<BoardRow> known;
                         known.reserve(rows.size());
                         for (const Installed& row : rows)
                             known.push_back({row.list, row.address, row.until_s, epoch(row.list)});
                         installed_(std::move(known));
                     },
                 .lost = [this](ListId list) { forget(list); },
                 .log = log_});
    serve(service, kernel);
}

void SetThread::serve(SetService& service, Kernel& kernel) {
    std::uint64_t look_ms = 0, status_ms = 0;
    for (;;) {
        Inbox in;
        {
            const std::lock_guard lock(mutex_);
            in = std::exchange(inbox_, {});
        }
        if (in.ends) return;
        if (in.plans) {
            take_up(*in.plans);
            service.configure(plans_);
            const bool of_nftables =
                std::any_of(plans_.begin(), plans_.end(), [](const SetPlan& plan) {
                    return !plan.families.empty() && !plan.families.front().set.is_ipset();
                });
            if (!of_nftables) kernel.watch.reset();
            if (of_nftables && !kernel.watch) {
                if (auto watch = NftablesWatch::open()) {
                    kernel.watch = std::move(*watch);
                } else {
                    log_(SetService::Level::warning, watch.error().text);
                }
            }
        }
        for (const Installed& claim : in.claims)
            service.claim(claim.list, claim.address, claim.until_s);
        for (std::size_t list = 0; list < in.overflowed.size(); ++list) {
            if (in.overflowed[list]) forget(static_cast<ListId>(list));
        }
        const std::uint64_t now_ms = clock_.now().ms;
        if (now_ms >= look_ms) {
            service.look(now_ms);
            look_ms = now_ms + kLookEveryMs;
        }
        service.work(now_ms);
        kernel.read_watch();
        for (const SetName& set : std::exchange(kernel.changed, {}))
            service.changed(set);
        if (std::exchange(kernel.lost, false)) service.all_changed(false);
        if (now_ms >= status_ms) {
            publish(service);
            status_ms = now_ms + kStatusEveryMs;
        }
        const std::uint64_t next_ms = std::min({service.next_ms(), look_ms, status_ms});
        const std::uint64_t after_ms = clock_.now().ms;
        const int wait_ms =
            next_ms > after_ms
                ? static_cast<int>(std::min<std::uint64_t>(next_ms - after_ms, 60'000))
                : 0;
        std::array<pollfd, 2> fds{
            {{event_fd_, POLLIN, 0}, {kernel.watch ? kernel.watch->fd() : -1, POLLIN, 0}}};
        ::poll(fds.data(), fds.size(), wait_ms);
        std::uint64_t count = 0;
        [[maybe_unused]] const auto n = ::read(event_fd_, &count, sizeof count);
    }
}

void SetThread::publish(const SetService& service) {
    auto fresh = service.status();
    const std::lock_guard lock(mutex_);
    status_ = std::move(fresh);
}

std::vector<SetStatus> SetThread::status() const {
    const std::lock_guard lock(mutex_);
    return status_;
}

}  // namespace steer::sets
