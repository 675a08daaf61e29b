//! A lock that the race detectors of C understand, and that notices a call from inside itself.

use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};

use crate::error::Failure;
use crate::status::lvs_status;

/// A value behind a POSIX mutex.
///
/// `std::sync::Mutex` would do for Rust alone. This one is visible to helgrind and ThreadSanitizer,
/// by which a C program that links this library is checked, and answers a thread that already holds
/// it instead of hanging.
pub(crate) struct Lock<T> {
    // Boxed: a POSIX mutex must not move once it has been used.
    mutex: Box<UnsafeCell<libc::pthread_mutex_t>>,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached by one thread at a time, the mutex sees to that.
unsafe impl<T: Send> Send for Lock<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Self {
        let mutex = Box::new(UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER));
        // SAFETY: both objects are ours, and initialised before they are used. None of these can
        // fail for a mutex of a standard type (pthread_mutexattr_settype(3p),
        // pthread_mutex_init(3)).
        unsafe {
            let mut attributes = std::mem::MaybeUninit::<libc::pthread_mutexattr_t>::uninit();
            libc::pthread_mutexattr_init(attributes.as_mut_ptr());
            libc::pthread_mutexattr_settype(attributes.as_mut_ptr(), libc::PTHREAD_MUTEX_ERRORCHECK);
            libc::pthread_mutex_init(mutex.get(), attributes.as_ptr());
            libc::pthread_mutexattr_destroy(attributes.as_mut_ptr());
        }
        Self { mutex, value: UnsafeCell::new(value) }
    }

    /// Waits for the lock.
    #[inline]
    pub(crate) fn lock(&self) -> Result<Guard<'_, T>, Failure> {
        // SAFETY: initialised, and alive as long as `self`.
        match unsafe { libc::pthread_mutex_lock(self.mutex.get()) } {
            0 => Ok(Guard { lock: self }),
            libc::EDEADLK => Err(Failure::own(
                lvs_status::Busy,
                "the director is in a call of this thread: a visitor cannot call it".to_owned(),
            )),
            errno => Err(Failure::own(lvs_status::Panic, format!("pthread_mutex_lock failed with errno {errno}"))),
        }
    }
}

impl<T> Drop for Lock<T> {
    fn drop(&mut self) {
        // SAFETY: initialised, and nobody holds it any more.
        unsafe { libc::pthread_mutex_destroy(self.mutex.get()) };
    }
}

pub(crate) struct Guard<'a, T> {
    lock: &'a Lock<T>,
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the lock is held as long as the guard lives.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the lock is held as long as the guard lives, and the guard is borrowed
        // exclusively.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the lock is held by this thread, which locked it.
        unsafe { libc::pthread_mutex_unlock(self.lock.mutex.get()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_lock_of_one_thread_is_refused_rather_than_waited_for() {
        let lock = Lock::new(1);
        let held = lock.lock().unwrap();
        assert_eq!(lock.lock().err().unwrap().status(), lvs_status::Busy);
        drop(held);
        assert_eq!(*lock.lock().unwrap(), 1);
    }

    #[test]
    fn threads_take_turns() {
        let lock = Lock::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1000).for_each(|_| *lock.lock().unwrap() += 1));
            }
        });
        assert_eq!(*lock.lock().unwrap(), 4000);
    }

    #[test]
    fn a_panic_releases_the_lock() {
        let lock = Lock::new(0);
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _held = lock.lock().unwrap();
            panic!("half way");
        }));
        assert!(caught.is_err());
        assert_eq!(*lock.lock().unwrap(), 0);
    }
}
