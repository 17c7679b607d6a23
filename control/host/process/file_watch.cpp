#include "control/host/process/file_watch.h"

#include <sys/inotify.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <utility>

namespace steer {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kChanges =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ONLYDIR;
constexpr std::size_t kReadBytes = 16 * 1024;

}  // namespace

struct FileWatch::Impl : std::enable_shared_from_this<Impl> {
    // A file's names in one folder, and what the file was called.
    struct Folder {
        std::map<std::string, std::string> files;
    };

    Impl(boost::asio::io_context& main_io, Changed changed, IsOurs ours)
        : events(main_io), quiet(main_io), notify(std::move(changed)), is_ours(std::move(ours)) {}

    // Both the path and the target of a link.
    void add(const std::string& file) {
        std::error_code error;
        fs::path path = fs::absolute(file, error);
        constexpr int kMaxLinks = 8;
        for (int links = 0; !error && links < kMaxLinks; ++links) {
            wanted[path.parent_path().string()].files[path.filename().string()] = file;
            if (!fs::is_symlink(path, error)) break;
            const fs::path target = fs::read_symlink(path, error);
            path = (path.parent_path() / target).lexically_normal();
        }
    }

    // Folders that stay keep their watch, so that nothing is missed.
    Result<void> follow() {
        Result<void> done;
        std::map<int, std::string> kept;
        for (const auto& [id, folder] : folders) {
            if (wanted.contains(folder)) {
                kept.emplace(id, folder);
            } else {
                inotify_rm_watch(events.native_handle(), id);
            }
        }
        for (const auto& [folder, _] : wanted) {
            const int id = inotify_add_watch(events.native_handle(), folder.c_str(), kChanges);
            if (id < 0) {
                done =
                    Error{"changes in " + folder + " will not be noticed: " + std::strerror(errno)};
                continue;
            }
            kept[id] = folder;
        }
        folders = std::move(kept);
        return done;
    }

    void listen() {
        events.async_read_some(
            boost::asio::buffer(bytes),
            [self = shared_from_this()](const boost::system::error_code& error, std::size_t n) {
                if (error) return;
                self->read(n);
                self->listen();
            });
    }

    void read(std::size_t n) {
        for (std::size_t at = 0; at + sizeof(inotify_event) <= n;) {
            inotify_event event;
            std::memcpy(&event, bytes.data() + at, sizeof event);
            const char* const name =
                event.len == 0 ? "" : bytes.data() + at + sizeof(inotify_event);
            at += sizeof(inotify_event) + event.len;
            if ((event.mask & IN_Q_OVERFLOW) != 0) {  // events were lost: any file may have changed
                for (const auto& [_, folder] : wanted) {
                    for (const auto& [_2, file] : folder.files)
                        changed(file);
                }
                continue;
            }
            const auto folder = folders.find(event.wd);
            if (folder == folders.end()) continue;
            const auto& names = wanted[folder->second].files;
            const auto file = names.find(name);
            if (file == names.end() || (is_ours && is_ours(file->second))) continue;
            changed(file->second);
        }
    }

    void changed(const std::string& file) {
        const auto now = std::chrono::steady_clock::now();
        if (which.empty()) notify_by = now + kLongest;
        if (std::find(which.begin(), which.end(), file) == which.end()) which.push_back(file);
        quiet.expires_at(std::min(now + kQuiet, notify_by));
        quiet.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
            if (!error) self->notify(std::exchange(self->which, {}));
        });
    }

    boost::asio::posix::stream_descriptor events;
    boost::asio::steady_timer quiet;
    Changed notify;
    IsOurs is_ours;
    std::vector<std::string> files;        // as they were named
    std::map<std::string, Folder> wanted;  // by the folder's path
    std::map<int, std::string> folders;    // by inotify's number
    std::vector<std::string> which;        // that changed; empty: no change
    std::chrono::steady_clock::time_point notify_by;
    alignas(inotify_event) std::array<char, kReadBytes> bytes{};
};

FileWatch::FileWatch(boost::asio::io_context& main_io, Changed changed, IsOurs is_ours)
    : impl_(std::make_shared<Impl>(main_io, std::move(changed), std::move(is_ours))) {}

FileWatch::~FileWatch() {
    boost::system::error_code ignored;
    impl_->events.close(ignored);
    impl_->quiet.cancel();
}

Result<void> FileWatch::watch(const std::vector<std::string>& files) {
    impl_->wanted.clear();
    impl_->files = files;
    for (const auto& file : files)
        impl_->add(file);
    if (!impl_->events.is_open()) {
        if (impl_->wanted.empty()) return {};
        const int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        if (fd < 0) {
            return Error{std::string("changed files will not be noticed: ") + std::strerror(errno)};
        }
        impl_->events.assign(fd);
        impl_->listen();
    }
    return impl_->follow();
}

std::vector<std::string> FileWatch::files() const {
    return impl_->files;
}

}  // namespace steer
